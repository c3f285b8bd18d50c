/** A file of lines that grows at its end; a kill can cut its last line, and no other. */

import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { makeFolder } from './folder.js'

export interface LoggedLines {
  /** Lines that are whole, without their line feeds. */
  lines: string[]
  /** What follows the last line feed is the beginning of a line that never ended; it is not among them. */
  torn: boolean
}

/** The lines of a text; only one that ends with a line feed is whole. */
export function wholeLines(text: string): LoggedLines {
  const lines = text.split('\n')
  const torn = lines.pop() !== ''
  return { lines, torn }
}

/** The lines of a file; a missing one has none. */
export const readLog = (path: string): LoggedLines =>
  fs.existsSync(path) ? wholeLines(fs.readFileSync(path, 'utf8')) : { lines: [], torn: false }

export interface AppendLog {
  /** The lines that were there when the log was opened. */
  readonly lines: readonly string[]
  /** Appends one line with one write; a short write is completed. */
  append(line: string): void
  /** Puts all lines on the disk. */
  sync(): void
  close(): void
}

/** Opens a log for appending, and makes it and its folder where they are missing. A torn last line goes. */
export function openAppendLog(path: string): AppendLog {
  makeFolder(dirname(path))
  const { lines, torn } = readLog(path)
  if (torn) dropTail(path)
  const fd = fs.openSync(path, 'a')
  return {
    lines,
    append(line) {
      const bytes = Buffer.from(`${line}\n`)
      for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done)
    },
    sync: () => fs.fsyncSync(fd),
    close: () => fs.closeSync(fd),
  }
}

/** By bytes: a line that was cut may end within a character. */
function dropTail(path: string): void {
  fs.truncateSync(path, fs.readFileSync(path).lastIndexOf('\n') + 1)
}
