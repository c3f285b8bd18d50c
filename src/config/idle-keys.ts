/** Keys that somebody gave and that nothing would read: one config file serves several commands, so only flags are refused. */
import { usageError } from '../errors.js'
import type { Ui } from '../terminal/ui.js'
import { withDefaults } from './defaults.js'
import { flagName } from './flags.js'
import type { ResolvedConfig } from './load-config.js'
import type { ConfigKey } from './schema.js'
import { generateSection } from './sections/generate-section.js'

export interface IdleKeys {
  keys: readonly ConfigKey[]
  reason: string
  /** What to do, unless the key is removed. */
  remedy?: string
  /** In a file they are for other commands as a rule, and not worth a line. */
  quiet?: boolean
}

/** How answers are generated. */
export const GENERATE_KEYS = Object.keys(generateSection) as (keyof typeof generateSection)[]

/**
 * Names such keys of the config file in one line.
 * @throws ClhaError (exit 2) naming the flags that have no effect, why, and what to do
 */
export function checkIdle(
  { config, ui }: { config: ResolvedConfig; ui: Pick<Ui, 'warn'> },
  found: readonly IdleKeys[],
): void {
  const flags = found.flatMap(({ keys, ...idle }) =>
    keys.filter((key) => config.origin[key] === 'flag').map((key) => ({ ...idle, key })),
  )
  if (flags.length > 0) {
    const lines = flags.map(({ key, reason }) => `${flagName(key)}  ${key} has no effect: ${reason}`)
    const ways = [...new Set(flags.flatMap(({ remedy }) => remedy ?? []))]
    throw usageError(lines.join('\n'), [...ways, 'leave out what has no effect'].join(', or '))
  }
  for (const { keys, reason, remedy, quiet } of found) {
    const set = quiet ? [] : keys.filter((key) => isChosen(config, key))
    if (set.length > 0)
      ui.warn(
        `${config.file}: no effect here: ${set.join(', ')} (${reason})`,
        [...(remedy ? [remedy] : []), 'leave it to the commands that read it'].join(', or '),
      )
  }
}

/** Set in the file to something else than it would be anyway: a run's own config.yaml holds every key. */
function isChosen({ origin, values }: ResolvedConfig, key: ConfigKey): boolean {
  if (origin[key] !== 'file') return false
  const { mode, method, loss_type } = values
  const unset = withDefaults({ mode, method, ...(loss_type && { loss_type }) }, '').values[key]
  return JSON.stringify(values[key]) !== JSON.stringify(unset)
}
