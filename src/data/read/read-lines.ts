/** Bytes in, rows of bytes out: splits on LF only, at constant memory, with line numbers and byte offsets. */
import type { RowFault } from './row-fault.js'

interface Place {
  /** Line, element of an array or record of a table; counts from 1. */
  row: number
  /** Where the row starts, in text files whose rows are not their lines; counts from 1. */
  line?: number
}

/** One row of a file: JSON still to be parsed, a record that has its values, or what is wrong with it. */
export type Piece = RawPiece | (Place & { value: unknown }) | (Place & { fault: RowFault })

/** One line of a JSONL file or one element of a JSON array, still bytes. */
export interface RawPiece extends Place {
  /** Where the piece starts in the uncompressed file. */
  byteOffset: number
  /** Without line end. Empty where `tooLong`. */
  bytes: Buffer
  /** Longer than the limit; its bytes were skipped, not kept. */
  tooLong?: true
  /** No row, but the place where an array ends without its bracket. */
  cutOff?: true
}

export const LINE_LIMIT = 16 * 1024 * 1024

const LF = 10
const CR = 13
export const isBlank = (byte: number) => byte === 32 || byte === 9 || byte === LF || byte === CR

/** Whether there is nothing but spaces, tabs and line ends. */
export function isBlankBytes(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (!isBlank(byte)) return false
  return true
}

/** Bytes of a UTF-8 byte-order mark at the start: 0 or 3. */
export const bomLength = (bytes: Uint8Array) =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0

/**
 * Lines of a stream of bytes. Splits on LF only (a lone CR is part of the line), drops one CR before the LF and a
 * byte-order mark at the start, leaves out blank lines but counts them. A line over `limit` bytes is yielded as
 * `tooLong` without being held in memory.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  limit = LINE_LIMIT,
): AsyncGenerator<RawPiece> {
  let held: Buffer[] = []
  let heldBytes = 0
  let tooLong = false
  let row = 1
  let start = 0
  let position = 0
  const take = (): RawPiece | undefined => {
    const piece = finishLine(row, start, tooLong ? [] : held, tooLong)
    held = []
    heldBytes = 0
    tooLong = false
    return piece
  }
  for await (const chunk of chunks) {
    let from = 0
    while (from < chunk.length) {
      const lineEnd = chunk.indexOf(LF, from)
      const to = lineEnd < 0 ? chunk.length : lineEnd
      heldBytes += to - from
      if (heldBytes > limit) {
        tooLong = true
        held = []
      } else if (to > from) held.push(chunk.subarray(from, to))
      if (lineEnd < 0) break
      const piece = take()
      if (piece) yield piece
      row++
      from = lineEnd + 1
      start = position + from
    }
    position += chunk.length
  }
  const last = take()
  if (last) yield last
}

function finishLine(row: number, start: number, held: Buffer[], tooLong: boolean): RawPiece | undefined {
  if (tooLong) return { row, byteOffset: start, bytes: Buffer.alloc(0), tooLong }
  let bytes = held.length === 1 ? held[0] : Buffer.concat(held)
  const bom = row === 1 ? bomLength(bytes) : 0
  if (bom) bytes = bytes.subarray(bom)
  if (bytes.at(-1) === CR) bytes = bytes.subarray(0, -1)
  return isBlankBytes(bytes) ? undefined : { row, byteOffset: start + bom, bytes }
}
