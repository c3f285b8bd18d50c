/** What a function is called with, by place and by name. */
import {
  type Arguments,
  fail,
  isInteger,
  isUndefined,
  noValue,
  numberOf,
  typeOf,
  type Value,
} from './values.js'

/**
 * The arguments in the order of `names`; undefined where one was not given.
 * @throws Error for more arguments, another name, or one given twice
 */
export function bind(
  what: string,
  { args, named }: Arguments,
  names: readonly string[],
): (Value | undefined)[] {
  if (args.length > names.length)
    fail(`${what}() takes ${names.length} arguments at most, ${args.length} were given`)
  const bound: (Value | undefined)[] = names.map((_, i) => args[i])
  for (const [name, value] of named) {
    const at = names.indexOf(name)
    if (at < 0) fail(`${what}() got an unexpected keyword argument '${name}'`)
    if (bound[at] !== undefined) fail(`${what}() got multiple values for argument '${name}'`)
    bound[at] = value
  }
  return bound
}

/** A text argument. @throws Error for anything else */
export function textOf(value: Value | undefined, what: string): string {
  if (typeof value === 'string') return value
  if (value !== undefined && isUndefined(value)) return noValue(value)
  return fail(`${what} must be str, not ${value === undefined ? 'missing' : typeOf(value)}`)
}

/** A whole-number argument, or the fallback where it was not given. @throws Error for anything else */
export function countOf(value: Value | undefined, what: string, fallback?: number): number {
  if (value === undefined && fallback !== undefined) return fallback
  if (value !== undefined && isUndefined(value)) return noValue(value)
  if (value !== undefined && (isInteger(value) || typeof value === 'boolean'))
    return numberOf(value) as number
  return fail(`${what} must be an integer, not ${value === undefined ? 'missing' : typeOf(value)}`)
}
