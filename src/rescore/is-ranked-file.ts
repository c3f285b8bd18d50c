/** Tells a rescored file from other data by its first row. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** A rescored file is known by the keys of its first row. */
export function isRankedFile(path: string): boolean {
  if (!path.endsWith('.jsonl')) return false
  let fd: number
  try {
    // A pipe would be waited for.
    if (!statSync(path).isFile()) return false
    fd = openSync(path, 'r')
  } catch {
    return false
  }
  const head = Buffer.alloc(64)
  const size = readSync(fd, head, 0, head.length, 0)
  closeSync(fd)
  return head.toString('utf8', 0, size).startsWith('{"example":')
}
