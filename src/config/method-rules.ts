/** Which settings a method leaves without effect, and why; the methods say it themselves. */
import { idleUnder, lossesOf } from '../methods/registry.js'
import type { ConfigValues } from './defaults.js'
import { CONFIG_KEYS, type ConfigKey } from './schema.js'

export interface Rule {
  keys: readonly ConfigKey[]
  /** Why these keys have no effect here; undefined when they have. */
  idle(values: ConfigValues, given: (key: ConfigKey) => boolean): string | false | undefined
}

export const METHOD_RULES: readonly Rule[] = CONFIG_KEYS.map((key) => ({
  keys: [key],
  idle: (values) => idleUnder(key, values),
}))

/** A loss that the method does not have. */
export function lossConflict({ method, loss_type: loss }: ConfigValues): [ConfigKey, string][] {
  const losses = lossesOf(method)
  if (losses.length === 0 || loss === undefined || losses.includes(loss)) return []
  return [['loss_type', `can't be ${loss} with method: ${method}; there are: ${losses.join(', ')}`]]
}
