/**
 * Decides whether bytes are a safetensors file, with the verdicts of the format's own reader (the Rust crate,
 * `SafeTensors::read_metadata`). Four things that its text forbids but the crate lets pass are refused as well:
 * white space before the header, duplicate keys, a tensor entry or dtype written in another JSON shape, and a
 * dimension above 2^53 - 1.
 */
import { isSafetensorsDtype, type SafetensorsDtype, tensorBytes } from './dtypes.js'
import { parseHeaderJson, type StrictJson, StrictJsonError } from './strict-header.js'

export interface TensorEntry {
  dtype: SafetensorsDtype
  /** Empty for a scalar. */
  shape: number[]
  /** Byte range within the file. */
  begin: number
  end: number
}

export interface SafetensorsHeader {
  /** In the order of the data. */
  entries: Map<string, TensorEntry>
  metadata: Map<string, string>
}

export type HeaderFaultKind =
  | 'too-small'
  | 'header-too-large'
  | 'header-length'
  | 'header-start'
  | 'utf-8'
  | 'json'
  | 'duplicate-key'
  | 'metadata'
  | 'entry'
  | 'dtype'
  | 'shape'
  | 'offsets'
  | 'overflow'
  | 'size'
  | 'file-size'

/** Why the bytes are not a safetensors file. */
export class HeaderFault extends Error {
  constructor(
    readonly kind: HeaderFaultKind,
    message: string,
    /** True where cut or damaged data is the likely cause. */
    readonly damaged = false,
  ) {
    super(message)
  }
}

const LENGTH_BYTES = 8
const LARGEST_HEADER = 100_000_000
const MOST_TENSORS = 200_000
const OFFSETS = 'data_offsets'

/**
 * @param fileBytes length of the whole file
 * @param read      gives `length` bytes from `offset`; asked only within the file
 * @throws HeaderFault
 */
export function parseHeader(
  fileBytes: number,
  read: (offset: number, length: number) => Uint8Array,
): SafetensorsHeader {
  if (fileBytes < LENGTH_BYTES) {
    throw new HeaderFault('too-small', `the file has ${fileBytes} bytes, a header needs at least 8`, true)
  }
  const length = Buffer.from(read(0, LENGTH_BYTES)).readBigUInt64LE(0)
  if (length > LARGEST_HEADER) {
    throw new HeaderFault(
      'header-too-large',
      `the header claims ${length} bytes; the limit is ${LARGEST_HEADER}`,
    )
  }
  const dataBegin = LENGTH_BYTES + Number(length)
  if (dataBegin > fileBytes) {
    throw new HeaderFault(
      'header-length',
      `the header should end at byte ${dataBegin}, the file at ${fileBytes}`,
      true,
    )
  }
  const bytes = read(LENGTH_BYTES, Number(length))
  refuseCrowd(bytes)
  const root = headerJson(bytes)
  const header = { entries: readEntries(root, dataBegin), metadata: readMetadata(root.get('__metadata__')) }
  const dataEnd = checkLayout(header.entries, dataBegin)
  if (dataEnd !== fileBytes) throw wrongFileSize(header.entries, dataEnd, fileBytes)
  return header
}

/** Counted in the bytes: a header of the allowed length could describe millions, and take gigabytes when it is parsed. */
function refuseCrowd(bytes: Uint8Array): void {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let count = 0
  for (let at = header.indexOf(OFFSETS); at >= 0; at = header.indexOf(OFFSETS, at + OFFSETS.length)) count++
  if (count <= MOST_TENSORS) return
  const limit = MOST_TENSORS.toLocaleString('en-US')
  throw new HeaderFault(
    'header-too-large',
    `the header describes ${commas(count)} tensors; the limit is ${limit}`,
  )
}

function wrongFileSize(entries: Map<string, TensorEntry>, expected: number, found: number): HeaderFault {
  const sizes = `expected ${commas(expected)} bytes, found ${commas(found)}`
  for (const [name, { shape, begin, end }] of entries) {
    if (end <= found) continue
    const missing = commas(end - Math.max(begin, found))
    const said = `tensor "${name}" says [${shape.join(', ')}] but its data is ${missing} bytes short`
    return new HeaderFault('file-size', `${said}; ${sizes}`, true)
  }
  return new HeaderFault('file-size', `there are bytes after the last tensor; ${sizes}`, true)
}

const commas = (value: number) => value.toLocaleString('en-US')

function headerJson(bytes: Uint8Array): Map<string, StrictJson> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new HeaderFault('utf-8', 'the header is not valid UTF-8')
  }
  if (!text.startsWith('{')) throw new HeaderFault('header-start', 'the header does not begin with "{"')
  try {
    return parseHeaderJson(text) as Map<string, StrictJson>
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error
    const kind = error.kind === 'duplicate' ? 'duplicate-key' : 'json'
    throw new HeaderFault(kind, `the header is not valid JSON: ${error.message}`)
  }
}

function readMetadata(value: StrictJson | undefined): Map<string, string> {
  const metadata = new Map<string, string>()
  if (value === undefined || value === null) return metadata
  if (!(value instanceof Map)) throw new HeaderFault('metadata', '__metadata__ is not an object')
  for (const [key, text] of value) {
    if (typeof text !== 'string') throw new HeaderFault('metadata', `__metadata__ "${key}" is not a string`)
    metadata.set(key, text)
  }
  return metadata
}

/** Entries with offsets still checked one by one only; sorted as the data lies. */
function readEntries(root: Map<string, StrictJson>, dataBegin: number): Map<string, TensorEntry> {
  const entries: [string, TensorEntry][] = []
  for (const [name, value] of root) {
    if (name !== '__metadata__') entries.push([name, readEntry(name, value, dataBegin)])
  }
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  return new Map(entries)
}

function readEntry(name: string, value: StrictJson, dataBegin: number): TensorEntry {
  if (!(value instanceof Map))
    throw new HeaderFault('entry', `tensor "${name}" is not described by an object`)
  const dtype = value.get('dtype')
  if (typeof dtype !== 'string' || !isSafetensorsDtype(dtype)) {
    const found = typeof dtype === 'string' ? `"${dtype}"` : 'none'
    throw new HeaderFault('dtype', `tensor "${name}" has an unknown dtype: ${found}`)
  }
  const shape = wholeNumbers(value.get('shape'))
  if (shape === undefined) throw new HeaderFault('shape', `tensor "${name}" has no valid shape`)
  const offsets = wholeNumbers(value.get('data_offsets'))
  if (offsets?.length !== 2 || offsets[0] > offsets[1]) {
    throw new HeaderFault('offsets', `tensor "${name}" has no valid data_offsets`)
  }
  return { dtype, shape, begin: dataBegin + offsets[0], end: dataBegin + offsets[1] }
}

function wholeNumbers(value: StrictJson | undefined): number[] | undefined {
  if (!Array.isArray(value)) return undefined
  const numbers: number[] = []
  for (const item of value) {
    if (item === null || typeof item !== 'object' || !('integer' in item)) return undefined
    if (item.integer === undefined || item.integer > Number.MAX_SAFE_INTEGER) return undefined
    numbers.push(Number(item.integer))
  }
  return numbers
}

/** Tensors follow one another without hole or overlap, each exactly as long as its shape says. */
function checkLayout(entries: Map<string, TensorEntry>, dataBegin: number): number {
  let next = dataBegin
  for (const [name, { dtype, shape, begin, end }] of entries) {
    if (begin !== next) {
      const what = begin > next ? 'leaves a hole before it' : 'overlaps the one before it'
      throw new HeaderFault('offsets', `tensor "${name}" ${what} (starts at byte ${begin}, expected ${next})`)
    }
    const bytes = tensorBytes(dtype, shape)
    const said = `tensor "${name}" says ${dtype} [${shape.join(', ')}]`
    if (bytes === 'overflow') throw new HeaderFault('overflow', `${said}, more than 2^64 bits`)
    if (bytes === 'misaligned') throw new HeaderFault('size', `${said}, which ends within a byte`)
    if (bytes !== BigInt(end - begin)) {
      const kind = bytes > BigInt(end - begin) ? 'short' : 'long'
      const difference = commas(Math.abs(Number(bytes) - (end - begin)))
      throw new HeaderFault('size', `${said} but its data is ${difference} bytes too ${kind}`)
    }
    next = end
  }
  return next
}
