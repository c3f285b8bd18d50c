/** What a value of a row is, for messages. */

/** Stands for bytes of a binary column that are no text. */
export const NOT_TEXT = Symbol('not UTF-8 text')

/** A value as it stands in the row, or its type where that is shorter. */
export function valueName(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  return ['number', 'boolean', 'bigint'].includes(typeof value) ? String(value) : typeName(value)
}

/** A value's type in the words of a person. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'missing'
  if (value === NOT_TEXT) return 'not UTF-8'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
