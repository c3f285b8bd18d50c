/** How a GGUF file is told from others. Light, for every command that takes a model's name. */
import * as fs from 'node:fs'

export const MAGIC = 'GGUF'

/** What lies there begins as a GGUF file does; false for folders and for nothing. */
export function isGguf(path: string): boolean {
  if (!fs.statSync(path, { throwIfNoEntry: false })?.isFile()) return false
  const fd = fs.openSync(path, 'r')
  try {
    const first = Buffer.alloc(MAGIC.length)
    fs.readSync(fd, first, 0, first.length, 0)
    return first.toString('latin1') === MAGIC
  } finally {
    fs.closeSync(fd)
  }
}
