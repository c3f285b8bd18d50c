/** JSON as the Rust reader of safetensors takes it: whole numbers told apart, no duplicate key, no lone surrogate. */

export type StrictJson = Map<string, StrictJson> | StrictJson[] | string | boolean | null | JsonNumber

/** `integer` is set for a number written without sign, fraction or exponent. */
export interface JsonNumber {
  integer: bigint | undefined
}

export type JsonFault = 'syntax' | 'duplicate'

/** Why a text is not strict JSON, with the place. */
export class StrictJsonError extends Error {
  constructor(
    readonly kind: JsonFault,
    message: string,
    readonly at: number,
  ) {
    super(`${message} at character ${at}`)
  }
}

/** serde_json's limit; deeper text could exhaust the stack. */
const DEEPEST = 127
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const LITERALS = { true: true, false: false, null: null } as const
const MAX_U64 = 2n ** 64n - 1n

interface Cursor {
  text: string
  at: number
}

/**
 * Reads one JSON value that fills the whole text. Objects become Maps, so that no key is special.
 *
 * @throws StrictJsonError
 */
export function parseHeaderJson(text: string): StrictJson {
  const cursor = { text, at: 0 }
  skipSpace(cursor)
  const value = readValue(cursor, 0)
  skipSpace(cursor)
  if (cursor.at < text.length) fail(cursor, 'more text after the value')
  return value
}

function fail(cursor: Cursor, message: string): never {
  throw new StrictJsonError('syntax', message, cursor.at)
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const code = cursor.text.charCodeAt(cursor.at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    cursor.at++
  }
}

function take(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false
  cursor.at++
  return true
}

function readValue(cursor: Cursor, depth: number): StrictJson {
  const character = cursor.text[cursor.at]
  if (character === '{' || character === '[') {
    if (depth === DEEPEST) fail(cursor, 'nested too deeply')
    cursor.at++
    return character === '{' ? readObject(cursor, depth + 1) : readArray(cursor, depth + 1)
  }
  if (character === '"') return readString(cursor)
  for (const [word, value] of Object.entries(LITERALS)) {
    if (!cursor.text.startsWith(word, cursor.at)) continue
    cursor.at += word.length
    return value
  }
  return readNumber(cursor)
}

function readObject(cursor: Cursor, depth: number): Map<string, StrictJson> {
  const object = new Map<string, StrictJson>()
  skipSpace(cursor)
  if (take(cursor, '}')) return object
  for (;;) {
    skipSpace(cursor)
    const start = cursor.at
    const key = readString(cursor)
    if (object.has(key)) {
      throw new StrictJsonError('duplicate', `the key ${JSON.stringify(key)} stands twice`, start)
    }
    skipSpace(cursor)
    if (!take(cursor, ':')) fail(cursor, 'expected ":"')
    skipSpace(cursor)
    object.set(key, readValue(cursor, depth))
    skipSpace(cursor)
    if (take(cursor, '}')) return object
    if (!take(cursor, ',')) fail(cursor, 'expected "," or "}"')
  }
}

function readArray(cursor: Cursor, depth: number): StrictJson[] {
  const items: StrictJson[] = []
  skipSpace(cursor)
  if (take(cursor, ']')) return items
  for (;;) {
    skipSpace(cursor)
    items.push(readValue(cursor, depth))
    skipSpace(cursor)
    if (take(cursor, ']')) return items
    if (!take(cursor, ',')) fail(cursor, 'expected "," or "]"')
  }
}

function readString(cursor: Cursor): string {
  if (!take(cursor, '"')) fail(cursor, 'expected a string')
  const start = cursor.at
  let end = start
  let escaped = false
  for (;;) {
    const code = cursor.text.charCodeAt(end)
    if (code === 0x22) break
    if (Number.isNaN(code) || code < 0x20) fail(cursor, 'unfinished string')
    if (code === 0x5c) escaped = true
    end += code === 0x5c ? 2 : 1
  }
  const raw = cursor.text.slice(start, end)
  const value = escaped ? decodeEscapes(cursor, raw) : raw
  cursor.at = end + 1
  return value
}

function decodeEscapes(cursor: Cursor, raw: string): string {
  let value: string
  try {
    value = JSON.parse(`"${raw}"`) as string
  } catch {
    return fail(cursor, 'malformed escape')
  }
  // A text decoded from UTF-8 holds no lone surrogate, so one can only come from an escape.
  if (/\p{Surrogate}/u.test(value)) fail(cursor, 'lone surrogate')
  return value
}

function readNumber(cursor: Cursor): JsonNumber {
  NUMBER.lastIndex = cursor.at
  const match = NUMBER.exec(cursor.text)
  if (match === null) return fail(cursor, 'expected a value')
  if (!Number.isFinite(Number(match[0]))) fail(cursor, 'number out of range')
  cursor.at += match[0].length
  if (match[0].startsWith('-') || match[1] !== undefined || match[2] !== undefined)
    return { integer: undefined }
  // Past 64 bits the Rust reader takes a number for a float; 20 digits bound the cost of the conversion.
  const integer = match[0].length <= 20 ? BigInt(match[0]) : undefined
  return { integer: integer !== undefined && integer <= MAX_U64 ? integer : undefined }
}
