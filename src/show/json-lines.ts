/** JSON Lines for machines: keys in snake_case, and numbers that JSON lacks as text instead of null. */

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | bigint
  | readonly JsonValue[]
  | { [key: string]: JsonValue }

/** One line, newline included. `NaN` and infinities become `"NaN"`, `"Infinity"`: null would hide them. */
export function toJsonLine(value: JsonValue): string {
  return `${JSON.stringify(plain(value))}\n`
}

function plain(value: JsonValue): JsonValue {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as ArrayLike<JsonValue>, plain)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [snake(key), plain(inner)]))
}

// Only names of our own are camelCase; metric names (`rewards/chosen`), paths and column names stay as they are.
const snake = (key: string): string =>
  /^[a-z]+(?:[A-Z0-9][a-z0-9]*)+$/.test(key)
    ? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : key
