/** JSON Lines files that have their name only when they are whole. */

import { dirname } from 'node:path'
import { makeFolder } from './folder.js'
import { openWhole } from './whole.js'

export interface JsonLinesFile {
  write(row: object): void
  /** Gives the file its name; without it the rows stay in `<path>.partial`. */
  finish(): void
  /** After an error: rows that were written are kept in `<path>.partial`. */
  abandon(): void
}

/** Every row is in `<path>.partial` when `write` returns. The folder is made where it is missing. */
export function openJsonLines(path: string): JsonLinesFile {
  makeFolder(dirname(path))
  const file = openWhole(path)
  return {
    write: (row) => file.write(`${JSON.stringify(row)}\n`),
    finish: file.finish,
    abandon: () => file.abandon(true),
  }
}

/** Rows that are all there already: the file appears whole, or not at all. */
export function writeJsonLines<T>(
  path: string,
  items: readonly T[],
  rowOf: (item: T, i: number) => object,
): void {
  makeFolder(dirname(path))
  const file = openWhole(path)
  try {
    items.forEach((item, i) => {
      file.write(`${JSON.stringify(rowOf(item, i))}\n`)
    })
    file.finish()
  } catch (error) {
    file.abandon()
    throw error
  }
}
