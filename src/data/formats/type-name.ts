/** What a value of a row is, for messages. */

/** Stands for bytes of a binary column that are no text. */
export const NOT_TEXT = Symbol('not UTF-8 text')

/** A value's type in the words of a person. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'missing'
  if (value === NOT_TEXT) return 'not UTF-8'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
