/** Which settings a method leaves without effect, and why; the methods say it themselves. */
import { idleUnder, lossesOf, mixesLosses } from '../methods/registry.js'
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
export function lossConflict({
  method,
  loss_type: given,
  loss_weights: weights,
}: ConfigValues): [ConfigKey, string][] {
  const losses = lossesOf(method)
  const named = [given ?? []].flat()
  if (losses.length === 0 || named.length === 0) return []
  const wrong = named.filter((loss) => !losses.includes(loss))
  if (wrong.length > 0)
    return [
      ['loss_type', `can't be ${wrong.join(', ')} with method: ${method}; there are: ${losses.join(', ')}`],
    ]
  if (named.length > 1 && !mixesLosses(method))
    return [['loss_type', `can only be one with method: ${method}; dpo adds several up`]]
  if (new Set(named).size < named.length) return [['loss_type', 'names a loss twice']]
  if (weights !== undefined && named.length > 1 && weights.length !== named.length)
    return [['loss_weights', `has ${weights.length} numbers for ${named.length} losses`]]
  return []
}
