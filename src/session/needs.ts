/** What a part of a pipeline says it needs of a session. */
import type { Options } from '../config/options.js'
import { usageError } from '../errors.js'
import { snakeCase } from '../key-names.js'
import type { Session } from './session.js'

/** These options, and what else of a session is named. Every session has it. */
export type Needs<K extends keyof Options, P extends keyof Session = never> = {
  options: Pick<Options, K>
} & Pick<Session, P>

/** An option that has to be set. @throws ClhaError (exit 2) naming it where it is not */
export function required<O extends Partial<Options>, K extends keyof O & string>(
  options: O,
  key: K,
): NonNullable<O[K]> {
  const value = options[key]
  if (value === undefined || value === null) throw usageError(`${snakeCase(key)} is missing`)
  return value
}
