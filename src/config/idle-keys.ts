/** Keys that somebody gave and that a command does not read with these inputs. */
import { usageError } from '../errors.js'
import type { ResolvedConfig } from './load-config.js'
import type { ConfigKey } from './schema.js'
import { generateSection } from './sections/generate-section.js'

/** How answers are generated. */
export const GENERATE_KEYS = Object.keys(generateSection) as (keyof typeof generateSection)[]

/** @throws ClhaError (exit 2) naming the first of the keys that a flag or the config file gives */
export function refuseIdle(
  { origin }: Pick<ResolvedConfig, 'origin'>,
  keys: readonly ConfigKey[],
  why: string,
): void {
  const given = keys.find((key) => origin[key] === 'file' || origin[key] === 'flag')
  if (given !== undefined) throw usageError(`${given} has no effect: ${why}`, 'remove it')
}
