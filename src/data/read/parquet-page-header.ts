/** Headers of Parquet pages (Thrift, compact protocol), as far as sizes, counts and checksums go. */

export interface PageHeader {
  /** Where the page's data begins. */
  end: number
  compressed: number
  uncompressed: number
  /** Signed 32 bits, of the compressed data; most writers leave it out. */
  crc: number | undefined
  /** Values of a data page; 0 of others. */
  values: number
  /** Values of any page. */
  items: number
}

interface Cursor {
  bytes: Uint8Array
  at: number
}

const DEEPEST = 16
const [TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT] = [1, 2, 3, 7, 8, 9, 10, 11, 12]
/** Fields of a page header that hold a data page, a dictionary page and a data page v2; their field 1 is a count. */
const DATA = new Set([5, 8])
const DICTIONARY = 7

/** The header at a place; undefined where the bytes are none. */
export function pageHeaderAt(bytes: Uint8Array, offset: number): PageHeader | undefined {
  const cursor = { bytes, at: offset }
  const numbers = new Map<number, number>()
  let [values, items] = [0, 0]
  try {
    eachField(cursor, (field, type) => {
      if (type === STRUCT && (DATA.has(field) || field === DICTIONARY)) {
        const count = firstNumber(cursor)
        items = Math.max(items, count)
        if (DATA.has(field)) values = count
      } else if (type === 5) numbers.set(field, zigzag(cursor))
      else skip(cursor, type, 0)
    })
  } catch {
    return undefined
  }
  const [uncompressed, compressed] = [numbers.get(2), numbers.get(3)]
  if (uncompressed === undefined || compressed === undefined || compressed < 0) return undefined
  return { end: cursor.at, compressed, uncompressed, crc: numbers.get(4), values, items }
}

function firstNumber(cursor: Cursor): number {
  let count = 0
  eachField(cursor, (field, type) => {
    if (field === 1 && type === 5) count = zigzag(cursor)
    else skip(cursor, type, 0)
  })
  return count
}

function eachField(cursor: Cursor, read: (field: number, type: number) => void): void {
  let field = 0
  for (;;) {
    const head = byte(cursor)
    if (head === 0) return
    field = head >> 4 === 0 ? zigzag(cursor) : field + (head >> 4)
    read(field, head & 15)
  }
}

function byte(cursor: Cursor): number {
  if (cursor.at >= cursor.bytes.length) throw new RangeError('the header is cut off')
  return cursor.bytes[cursor.at++]
}

function varint(cursor: Cursor): number {
  let value = 0
  for (let scale = 1; scale < 2 ** 70; scale *= 128) {
    const next = byte(cursor)
    value += (next & 127) * scale
    if (next < 128) return value
  }
  throw new RangeError('a number is too long')
}

function zigzag(cursor: Cursor): number {
  const value = varint(cursor)
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

function skip(cursor: Cursor, type: number, depth: number): void {
  if (depth > DEEPEST) throw new RangeError('nested too deeply')
  if (type === TRUE || type === FALSE) return
  if (type === BYTE) cursor.at += 1
  else if (type === DOUBLE) cursor.at += 8
  else if (type === BINARY) cursor.at += varint(cursor)
  else if (type === LIST || type === SET) {
    const head = byte(cursor)
    const count = head >> 4 === 15 ? varint(cursor) : head >> 4
    for (let i = 0; i < count; i++) skipItem(cursor, head & 15, depth)
  } else if (type === MAP) {
    const count = varint(cursor)
    const types = count > 0 ? byte(cursor) : 0
    for (let i = 0; i < count; i++) {
      skipItem(cursor, types >> 4, depth)
      skipItem(cursor, types & 15, depth)
    }
  } else if (type === STRUCT) eachField(cursor, (_, inner) => skip(cursor, inner, depth + 1))
  else varint(cursor)
}

/** In a list, true and false are a byte each. */
function skipItem(cursor: Cursor, type: number, depth: number): void {
  if (type === TRUE || type === FALSE) byte(cursor)
  else skip(cursor, type, depth + 1)
  if (cursor.at > cursor.bytes.length) throw new RangeError('the header is cut off')
}
