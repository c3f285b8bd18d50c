/** JSON as data: fatal UTF-8, no duplicate keys, no `__proto__`, no overflowing numbers, no lone surrogates. */
import { isObject } from '../../files/json.js'
import { jsonFault } from '../../files/strict-json.js'
import { LINE_LIMIT, type RawPiece } from './read-lines.js'
import { structuralFault } from './row-fault.js'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The value of one row.
 * @throws RowFault (structural) with the reason and, where known, the byte inside the row
 */
export function parseRowJson(piece: RawPiece): unknown {
  if (piece.tooLong) {
    throw structuralFault('too_long', `the row is longer than ${LINE_LIMIT / 1024 / 1024} MiB`)
  }
  if (piece.cutOff)
    throw structuralFault('bad_json', 'the array has no closing bracket: the file may be cut off here')
  const text = decodeUtf8(piece.bytes)
  const fault = jsonFault(text)
  if (fault) throw structuralFault(fault.code, fault.message)
  const value = parsed(text)
  checkValue(value, '')
  if (isObject(value) && typeof value.id === 'number' && !Number.isSafeInteger(value.id)) {
    value.id = exactId(text) ?? value.id
  }
  return value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // Python writes a missing number as NaN, which is no JSON.
    const withoutNan = text.includes('NaN') ? text.replace(STRING_OR_NAN, nanAsNull) : text
    try {
      if (withoutNan !== text) return JSON.parse(withoutNan)
    } catch {
      // The first error has the place.
    }
    throw structuralFault('bad_json', badJsonReason(text, error as Error))
  }
}

const STRING_OR_NAN = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\w.+-])NaN(?!\w)/g
const nanAsNull = (token: string) => (token === 'NaN' ? 'null' : token)

/** Digits of a whole number beyond 2^53, which JSON.parse rounds; the key stands once on its level. */
function exactId(text: string): bigint | undefined {
  let depth = 0
  for (const [token, digits] of text.matchAll(
    /"id"\s*:\s*(-?\d+)(?=\s*[,}])|"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g,
  )) {
    if (digits !== undefined && depth === 1) return BigInt(digits)
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
  }
  return undefined
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes)
  } catch {
    const at = firstBadByte(bytes)
    const hex = bytes[at]?.toString(16).padStart(2, '0')
    throw structuralFault('bad_utf8', `not UTF-8: byte ${at} of the row is 0x${hex}`, at)
  }
}

/** Decoding replaces the first bad byte by U+FFFD; what stands before it has the same length re-encoded. */
function firstBadByte(bytes: Buffer): number {
  const again = Buffer.from(bytes.toString('utf8'), 'utf8')
  let i = 0
  while (i < bytes.length && bytes[i] === again[i]) i++
  return Math.min(i, bytes.length - 1)
}

function badJsonReason(text: string, error: Error): string {
  if (text.trim() === '') return 'not JSON: nothing between two commas or brackets'
  const literal = /[:,[\s](-?(?:NaN|Infinity))\b/.exec(text.replace(/"(?:[^"\\]|\\.)*"/g, '""'))
  if (literal) return `not JSON: ${literal[1]} is no JSON number`
  if (/^\s*\[/.test(text)) return `not JSON: ${error.message} (a JSON array belongs in a .json file)`
  return `not JSON: ${error.message}`
}

const SURROGATE = /\p{Surrogate}/u

function checkValue(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (SURROGATE.test(value))
      throw structuralFault('bad_text', `${path || 'a string'} holds half a character`)
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw structuralFault('bad_number', `${path || 'a number'} overflows`)
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) checkValue(value[i], `${path}[${i}]`)
  } else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) {
      if (SURROGATE.test(key)) throw structuralFault('bad_text', 'a key holds half a character')
      checkValue(item, path ? `${path}.${key}` : key)
    }
  }
}
