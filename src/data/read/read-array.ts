/** A JSON array of rows, cut into its elements without parsing them, so that one bad row costs one row. */
import { bomLength, isBlank, LINE_LIMIT, type RawPiece } from './read-lines.js'

const LF = 10
const QUOTE = 34
const COMMA = 44
const BACKSLASH = 92
const isOpen = (byte: number) => byte === 0x5b || byte === 0x7b
const isClose = (byte: number) => byte === 0x5d || byte === 0x7d

/** Offset of the first byte that is neither byte-order mark nor white space. */
export function firstByteOffset(bytes: Uint8Array): number {
  let i = bomLength(bytes)
  while (i < bytes.length && isBlank(bytes[i])) i++
  return i
}

/**
 * Elements of the array that starts at the first non-blank byte, which has to be in the first chunk. Holds one element
 * at a time. Faults of the array itself (a comma too many, no closing bracket, text after it) come out as a piece that
 * is no JSON, so they are reported as rows.
 */
export async function* splitArray(
  chunks: AsyncIterable<Buffer>,
  limit = LINE_LIMIT,
): AsyncGenerator<RawPiece> {
  const element = createElement(limit)
  let position = -1
  let line = 1
  let row = 1
  /** 0: behind the array. */
  let depth = 1
  let inString = false
  let escaped = false
  for await (const chunk of chunks) {
    let i = 0
    if (position < 0) {
      position = 0
      i = firstByteOffset(chunk) + 1
      for (const byte of chunk.subarray(0, i)) if (byte === LF) line++
    }
    for (; i < chunk.length; i++) {
      const byte = chunk[i]
      if (byte === LF) line++
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inString = false
        continue
      }
      if (isBlank(byte)) continue
      const closes = depth === 1 && byte === 0x5d
      if (closes || (depth === 1 && byte === COMMA)) {
        const isEmptyArray = closes && row === 1 && !element.begun()
        if (!isEmptyArray) yield element.end(row++, line, chunk, i, position)
        if (closes) depth = 0
        continue
      }
      if (!element.begun()) element.begin(i, position + i, line)
      if (byte === QUOTE) inString = true
      else if (depth > 0 && isOpen(byte)) depth++
      else if (depth > 1 && isClose(byte)) depth--
    }
    element.keep(chunk)
    position += chunk.length
  }
  const nothing = Buffer.alloc(0)
  if (element.begun()) yield element.end(row++, line, nothing, 0, position)
  // Within an element its own text shows it.
  if (depth === 1 && !inString) yield { ...element.end(row, line, nothing, 0, position), cutOff: true }
}

/** The bytes of the element that is being read, over as many chunks as it takes; none beyond `limit`. */
function createElement(limit: number) {
  let held: Buffer[] = []
  let bytes = 0
  /** Where it starts: in the chunk at hand, in the file, and on which line. */
  let from = 0
  let offset = -1
  let startLine = 0
  return {
    begun: () => offset >= 0,
    begin(index: number, byteOffset: number, line: number) {
      from = index
      offset = byteOffset
      startLine = line
    },
    /** The chunk ends inside the element. */
    keep(chunk: Buffer) {
      if (offset < 0) return
      bytes += chunk.length - from
      if (bytes > limit) held = []
      else held.push(chunk.subarray(from))
      from = 0
    },
    end(row: number, line: number, chunk: Buffer, to: number, position: number): RawPiece {
      const isEmpty = offset < 0
      const place = { row, line: isEmpty ? line : startLine, byteOffset: isEmpty ? position + to : offset }
      const size = isEmpty ? 0 : bytes + to - from
      const parts = isEmpty ? [] : [...held, chunk.subarray(from, to)]
      held = []
      bytes = 0
      offset = -1
      if (size > limit) return { ...place, bytes: Buffer.alloc(0), tooLong: true }
      return { ...place, bytes: parts.length === 1 ? parts[0] : Buffer.concat(parts) }
    },
  }
}
