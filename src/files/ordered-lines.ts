/** Where generated answers go: in the order of the prompts, although they finish in another. */
import * as fs from 'node:fs'
import { dirname } from 'node:path'

export interface Ordered<T> {
  add(index: number, item: T): void
  /** Hands on what still waits for earlier ones that will not come. */
  flush(): void
}

/** Hands items on as soon as all earlier ones have been. */
export function inOrder<T>(emit: (item: T) => void): Ordered<T> {
  const waiting = new Map<number, T>()
  let next = 0
  return {
    add(index, item) {
      waiting.set(index, item)
      for (let found = waiting.get(next); found !== undefined; found = waiting.get(next)) {
        waiting.delete(next)
        next += 1
        emit(found)
      }
    },
    flush() {
      for (const index of [...waiting.keys()].sort((a, b) => a - b)) emit(waiting.get(index) as T)
      waiting.clear()
    },
  }
}

export interface JsonLinesFile {
  write(row: object): void
  /** Gives the file its name; without it the rows stay in `<path>.partial`. */
  finish(): void
  /** After an error: rows that were written are kept in `<path>.partial`. */
  abandon(): void
}

/** A JSON Lines file that has its name only when it is whole; every row is on disk when `write` returns. */
export function openJsonLines(path: string): JsonLinesFile {
  fs.mkdirSync(dirname(path), { recursive: true })
  const partial = `${path}.partial`
  const fd = fs.openSync(partial, 'w')
  let open = true
  const close = () => {
    if (open) fs.closeSync(fd)
    open = false
  }
  return {
    write: (row) => void fs.writeSync(fd, `${JSON.stringify(row)}\n`),
    finish() {
      fs.fsyncSync(fd)
      close()
      fs.renameSync(partial, path)
    },
    abandon: close,
  }
}

/** Rows that are all there already: the file appears whole, or not at all. */
export function writeJsonLines<T>(
  path: string,
  items: readonly T[],
  rowOf: (item: T, i: number) => object,
): void {
  const file = openJsonLines(path)
  try {
    items.forEach((item, i) => {
      file.write(rowOf(item, i))
    })
    file.finish()
  } catch (error) {
    file.abandon()
    fs.rmSync(`${path}.partial`, { force: true })
    throw error
  }
}
