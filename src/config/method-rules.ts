/** Which settings a method leaves without effect, and why. */
import type { ConfigValues } from './defaults.js'
import { METHOD_KEYS, METHODS } from './methods.js'
import type { ConfigKey } from './schema.js'

export interface Rule {
  keys: readonly ConfigKey[]
  /** Why these keys have no effect here; undefined when they have. */
  idle(values: ConfigValues, given: (key: ConfigKey) => boolean): string | false | undefined
}

const PAIR_KEYS = ['pair_weight', 'min_confidence', 'reward_threshold'] as const
const GATE_KEYS = ['sft_gate', 'gate_quantile', 'gate_level'] as const
const LABEL_KEYS = ['label_source', 'label_error', 'reward_temperature'] as const

const takesOneAnswer = ({ method }: ConfigValues) => method === 'sft' || method === 'bon'

/** Whether a method's own setting acts. */
function usesKey(key: ConfigKey, values: ConfigValues): boolean {
  return METHODS[values.method].keys(values).includes(key)
}

function whose(v: ConfigValues): string {
  const loss = METHODS[v.method].losses ? `, loss_type: ${v.loss_type}` : ''
  return `method: ${v.method}${loss} does not use it`
}

export const METHOD_RULES: readonly Rule[] = [
  {
    keys: ['mode', 'margin', 'margin_scale', 'sft_weight', ...PAIR_KEYS, ...GATE_KEYS],
    idle: (v) => takesOneAnswer(v) && `method: ${v.method} has no contrast, no gate and no modes`,
  },
  {
    keys: LABEL_KEYS,
    idle: (v) =>
      v.method === 'sft' &&
      v.sft_target !== 'best' &&
      'method: sft has no contrast; who orders the answers matters with sft_target: best',
  },
  {
    keys: LABEL_KEYS,
    idle: (v) => v.method === 'bon' && 'method: bon takes the answer of the highest reward',
  },
  {
    keys: ['mode', 'margin', 'margin_scale', 'reward_threshold'],
    idle: (v) => v.method !== 'clha' && `only method: clha has it; this is method: ${v.method}`,
  },
  {
    keys: ['sft_weight', ...GATE_KEYS],
    idle: (v) => v.method === 'coh' && 'method: coh trains on likelihood alone; there is no further SFT term',
  },
  {
    keys: GATE_KEYS,
    idle: (v) => v.method !== 'clha' && v.sft_weight === 0 && 'sft_weight is 0: there is no SFT term to gate',
  },
  ...METHOD_KEYS.map((key): Rule => ({ keys: [key], idle: (v) => !usesKey(key, v) && whose(v) })),
]

/** A loss that the method does not have. */
export function lossConflict(v: ConfigValues): [ConfigKey, string][] {
  const { losses } = METHODS[v.method]
  if (!losses || v.loss_type === undefined || losses.includes(v.loss_type)) return []
  return [['loss_type', `can't be ${v.loss_type} with method: ${v.method}; there are: ${losses.join(', ')}`]]
}
