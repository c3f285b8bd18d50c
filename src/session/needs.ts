/** What a part of a pipeline says it needs of a session. */
import type { Options } from '../config/options.js'
import { usageError } from '../errors.js'
import { snakeCase } from '../key-names.js'
import type { Session } from './session.js'

/** Some options, by their names or as a type, and what else of a session is named. Every session has it. */
export type Needs<O, Parts extends keyof Session = never> = {
  options: [O] extends [keyof Options] ? Pick<Options, O> : O
} & Pick<Session, Parts>

/** An option that has to be set. @throws ClhaError (exit 2) naming it where it is not */
export function required<O extends Partial<Options>, K extends keyof O & string>(
  options: O,
  key: K,
): NonNullable<O[K]> {
  const value = options[key]
  if (value === undefined || value === null) throw usageError(`${snakeCase(key)} is missing`)
  return value
}
