/** A JSON array of rows, cut into its elements without parsing them, so that one bad row costs one row. */
import { bomLength, LINE_LIMIT, type RawPiece } from './read-lines.js'

const QUOTE = 34
const BACKSLASH = 92
const COMMA = 44
const OPEN = new Set([0x5b, 0x7b])
const CLOSE = new Set([0x5d, 0x7d])
const BLANK = new Set([32, 9, 10, 13])

/** Offset of the first byte that is neither byte-order mark nor white space. */
export function firstByteOffset(bytes: Uint8Array): number {
  let i = bomLength(bytes)
  while (i < bytes.length && BLANK.has(bytes[i])) i++
  return i
}

/**
 * Elements of the array that starts at the first non-blank byte. Faults of the array itself (a comma too many, no
 * closing bracket, text after it) come out as a piece that is no JSON, so they are reported as rows.
 */
export function* splitArray(bytes: Buffer, limit = LINE_LIMIT): Generator<RawPiece> {
  const open = firstByteOffset(bytes)
  let depth = 1
  let start = open + 1
  let row = 1
  let i = start
  for (; i < bytes.length && depth > 0; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) i = stringEnd(bytes, i)
    else if (OPEN.has(byte)) depth++
    else if (CLOSE.has(byte)) depth--
    const isEnd = depth === 0 || (depth === 1 && byte === COMMA)
    if (!isEnd) continue
    const isEmptyArray = depth === 0 && row === 1 && firstByte(bytes, start, i) === i
    if (!isEmptyArray) yield element(bytes, row, start, i, limit)
    start = i + 1
    row++
  }
  const rest = firstByte(bytes, start, bytes.length)
  if (depth > 0 || rest < bytes.length) yield element(bytes, row, start, bytes.length, limit)
}

/** Index of the closing quote of the string that opens at `open`, or the last byte. */
function stringEnd(bytes: Buffer, open: number): number {
  for (let i = open + 1; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++
    else if (bytes[i] === QUOTE) return i
  }
  return bytes.length - 1
}

function firstByte(bytes: Buffer, from: number, to: number): number {
  let i = from
  while (i < to && BLANK.has(bytes[i])) i++
  return i
}

function element(bytes: Buffer, row: number, from: number, to: number, limit: number): RawPiece {
  const start = firstByte(bytes, from, to)
  if (to - start > limit) return { row, byteOffset: start, bytes: Buffer.alloc(0), tooLong: true }
  return { row, byteOffset: start, bytes: bytes.subarray(start, to) }
}
