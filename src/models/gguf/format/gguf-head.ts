/** The head of a GGUF file: metadata and where the tensors lie. Every count, length and offset is held against the file. */
import { MAGIC } from './gguf-magic.js'
import { bytesOf, otherType, TENSOR_TYPES, type TensorType, tensorType } from './tensor-types.js'

const VALUE_TYPES = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
] as const
export type ValueType = (typeof VALUE_TYPES)[number]
export type Scalar = number | boolean | string
/** A value of the metadata with the type that it has in the file. */
export type GgufValue =
  | { type: Exclude<ValueType, 'array'>; value: Scalar }
  | { type: 'array'; of: Exclude<ValueType, 'array'>; value: readonly Scalar[] }

export const valueTypeId = (type: ValueType): number => VALUE_TYPES.indexOf(type)

export interface GgufTensor {
  type: TensorType
  /** Row-major, the slowest dimension first: the reverse of what the file says. */
  shape: number[]
  /** Byte range within the file. */
  begin: number
  end: number
}

export interface GgufHead {
  metadata: Map<string, GgufValue>
  tensors: Map<string, GgufTensor>
}

export const ALIGNMENT_KEY = 'general.alignment'
export const DEFAULT_ALIGNMENT = 32

const MOST_TENSORS = 200_000
const MOST_ENTRIES = 65_536
const MOST_ITEMS = 2 ** 24
const LARGEST_HEAD = 2 ** 29
const MOST_DIMENSIONS = 4
/** Of a tensor's entry: lengths, type and offset, with an empty name. */
const LEAST_TENSOR = 24
const LEAST_ENTRY = 13

/** Why the bytes are no GGUF file that can be read. */
export class GgufFault extends Error {}

const fault = (message: string) => new GgufFault(message)

/**
 * @param size bytes of the whole file
 * @param read fills a buffer from an offset on
 * @throws GgufFault saying what is wrong, and where
 */
export function readGgufHead(size: number, read: (offset: number, target: Uint8Array) => void): GgufHead {
  const cursor = cursorOn(size, read)
  const magic = size < 4 ? '' : cursor.take(4, 'magic').toString('latin1')
  if (magic !== MAGIC) throw fault('not GGUF: it does not begin with "GGUF"')
  const version = cursor.take(4, 'version').readUInt32LE()
  if (version === 1 || version > 0xffff)
    throw fault(version === 1 ? 'GGUF of version 1 is not read' : 'a big-endian GGUF file is not read')
  if (version !== 2 && version !== 3) throw fault(`GGUF of version ${version} is not read`)
  const tensors = cursor.count('tensors', MOST_TENSORS, LEAST_TENSOR)
  const entries = cursor.count('metadata entries', MOST_ENTRIES, LEAST_ENTRY)
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < entries; i++) {
    const key = cursor.text(`key ${i} of the metadata`)
    if (metadata.has(key)) throw fault(`metadata "${key}" stands twice`)
    metadata.set(key, readValue(cursor, `metadata "${key}"`))
  }
  const listed = Array.from({ length: tensors }, (_, i) => readTensorEntry(cursor, i))
  return { metadata, tensors: placed(listed, cursor.at(), alignmentOf(metadata), size) }
}

type Cursor = ReturnType<typeof cursorOn>

const WINDOW = 2 ** 20

/** Reads on from the beginning, a window at a time. */
function cursorOn(size: number, read: (offset: number, target: Uint8Array) => void) {
  let window = Buffer.alloc(0)
  let start = 0
  let at = 0
  const take = (bytes: number, what: string): Buffer => {
    if (bytes > size - at) throw fault(`${what}: ${bytes} bytes at ${at}, but the file ends at ${size}`)
    if (at + bytes > LARGEST_HEAD) throw fault(`${what}: the metadata takes more than ${LARGEST_HEAD} bytes`)
    if (at + bytes > start + window.length) {
      window = Buffer.alloc(Math.min(Math.max(bytes, WINDOW), size - at))
      read(at, window)
      start = at
    }
    at += bytes
    return window.subarray(at - bytes - start, at - start)
  }
  const unsigned = (what: string): number => {
    const value = take(8, what).readBigUInt64LE()
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw fault(`${what}: ${value} is too large`)
    return Number(value)
  }
  return {
    at: () => at,
    take,
    unsigned,
    count(what: string, most: number, least: number): number {
      const value = unsigned(`number of ${what}`)
      if (value > most || value * least > size - at)
        throw fault(`${value} ${what} do not fit into a file of ${size} bytes`)
      return value
    },
    text(what: string): string {
      const bytes = take(unsigned(`${what}, its length`), what)
      try {
        return UTF8.decode(bytes)
      } catch {
        throw fault(`${what}: not UTF-8`)
      }
    },
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const WIDTHS: Readonly<Record<ValueType, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  string: 8,
  array: 12,
  uint64: 8,
  int64: 8,
  float64: 8,
}

function readValue(cursor: Cursor, what: string): GgufValue {
  const type = readType(cursor, what)
  if (type !== 'array') return { type, value: readScalar(cursor, type, what) }
  const of = readType(cursor, what)
  if (of === 'array') throw fault(`${what}: a list of lists is not read`)
  const length = cursor.count(`values in ${what}`, MOST_ITEMS, WIDTHS[of])
  return { type, of, value: Array.from({ length }, () => readScalar(cursor, of, what)) }
}

function readType(cursor: Cursor, what: string): ValueType {
  const id = cursor.take(4, what).readUInt32LE()
  const type = VALUE_TYPES[id]
  if (type === undefined) throw fault(`${what}: type ${id} is none of GGUF's`)
  return type
}

function readScalar(cursor: Cursor, type: Exclude<ValueType, 'array'>, what: string): Scalar {
  if (type === 'string') return cursor.text(what)
  if (type === 'uint64') return cursor.unsigned(what)
  const bytes = cursor.take(WIDTHS[type], what)
  switch (type) {
    case 'uint8':
      return bytes.readUInt8()
    case 'int8':
      return bytes.readInt8()
    case 'uint16':
      return bytes.readUInt16LE()
    case 'int16':
      return bytes.readInt16LE()
    case 'uint32':
      return bytes.readUInt32LE()
    case 'int32':
      return bytes.readInt32LE()
    case 'float32':
      return bytes.readFloatLE()
    case 'float64':
      return bytes.readDoubleLE()
    case 'int64':
      return Number(bytes.readBigInt64LE())
    case 'bool':
      if (bytes[0] > 1) throw fault(`${what}: ${bytes[0]} is neither true nor false`)
      return bytes[0] === 1
  }
}

interface TensorEntry {
  name: string
  type: TensorType
  shape: number[]
  /** From the beginning of the data. */
  offset: number
}

function readTensorEntry(cursor: Cursor, index: number): TensorEntry {
  const name = cursor.text(`name of tensor ${index}`)
  const what = `tensor "${name}"`
  const dimensions = cursor.take(4, what).readUInt32LE()
  if (dimensions > MOST_DIMENSIONS) throw fault(`${what}: ${dimensions} dimensions`)
  const sizes = Array.from({ length: dimensions }, () => cursor.unsigned(what))
  const id = cursor.take(4, what).readUInt32LE()
  const type = tensorType(id)
  if (!type)
    throw fault(
      `${what}: type ${otherType(id)} is not read; known are ${Object.keys(TENSOR_TYPES).join(', ')}`,
    )
  const offset = cursor.unsigned(`${what}, its offset`)
  if (sizes.some((size) => size < 1)) throw fault(`${what}: a dimension of 0`)
  if (!Number.isSafeInteger(sizes.reduce((a, b) => a * b, 4))) throw fault(`${what}: [${sizes}] is too large`)
  if ((sizes[0] ?? 1) % TENSOR_TYPES[type].block !== 0)
    throw fault(`${what}: rows of ${sizes[0]} are no whole blocks of ${type}`)
  return { name, type, shape: sizes.reverse(), offset }
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>): number {
  const found = metadata.get(ALIGNMENT_KEY)
  if (!found) return DEFAULT_ALIGNMENT
  const { value } = found
  const isPower =
    typeof value === 'number' && value >= 8 && value <= 2 ** 20 && Number.isInteger(Math.log2(value))
  if (!isPower) throw fault(`metadata "${ALIGNMENT_KEY}": ${String(value)} is no power of two from 8 on`)
  return value
}

export const aligned = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment

/** The tensors follow each other without gaps, each at a multiple of the alignment. */
function placed(
  listed: readonly TensorEntry[],
  headEnd: number,
  alignment: number,
  size: number,
): Map<string, GgufTensor> {
  const start = aligned(headEnd, alignment)
  const tensors = new Map<string, GgufTensor>()
  let expected = 0
  for (const { name, type, shape, offset } of listed) {
    if (tensors.has(name)) throw fault(`tensor "${name}" stands twice`)
    if (offset !== expected) throw fault(`tensor "${name}": its data begins at ${offset}, not at ${expected}`)
    const begin = start + offset
    const end =
      begin +
      bytesOf(
        type,
        shape.reduce((a, b) => a * b, 1),
      )
    if (end > size)
      throw fault(
        `tensor "${name}": its data ends at ${end}, but the file at ${size}: it was not fully copied`,
      )
    tensors.set(name, { type, shape, begin, end })
    expected = aligned(end - start, alignment)
  }
  return tensors
}
