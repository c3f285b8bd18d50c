/** The methods by name: their losses, the settings that each of them uses, and the defaults that its paper gives. */
import type { ConfigInput, ConfigKey } from './schema.js'

export const METHOD_NAMES = [
  'clha',
  'sft',
  'bon',
  'coh',
  'pro',
  'rrhf',
  'dpo',
  'cal_dpo',
  'kto',
  'bco',
  'simpo',
  'cpo',
  'orpo',
  'slic_hf',
] as const

export type MethodName = (typeof METHOD_NAMES)[number]

/** As TRL names them; `ipo_sum` and `dpop` are not in TRL. */
export const DPO_LOSSES = [
  'sigmoid',
  'robust',
  'hinge',
  'ipo',
  'ipo_sum',
  'apo_zero',
  'apo_down',
  'exo_pair',
  'nca_pair',
  'bco_pair',
  'sppo_hard',
  'aot',
  'aot_unpaired',
  'discopop',
  'sigmoid_norm',
  'dpop',
] as const
const KTO_LOSSES = ['kto', 'apo_zero_unpaired'] as const
const CPO_LOSSES = ['sigmoid', 'hinge', 'alphapo'] as const

export const LOSS_TYPES = [...new Set([...DPO_LOSSES, ...KTO_LOSSES, ...CPO_LOSSES])] as const

export type LossType = (typeof LOSS_TYPES)[number]

type Settings = Pick<ConfigInput, 'method' | 'loss_type' | 'f_divergence_type'>

interface MethodSpec {
  /** The first is the default. */
  losses?: readonly LossType[]
  /** The method's own settings that act. */
  keys(settings: Settings): readonly ConfigKey[]
  defaults(settings: Settings): Partial<ConfigInput>
}

/** What a method is compared with unless the user says otherwise: the labels as they stand, all pairs alike. */
const HUMAN = { label_source: 'human', pair_weight: 'hard', min_confidence: 0.5, sft_weight: 0 } as const
/** The paper's order by reward, all pairs alike. */
const REWARD = { label_source: 'reward', pair_weight: 'hard', min_confidence: 0.5, sft_gate: 'off' } as const

const SMOOTHED: readonly unknown[] = ['sigmoid', 'robust', 'exo_pair', 'aot', 'aot_unpaired']
const DIVERGENT: readonly unknown[] = ['sigmoid', 'robust', 'hinge', 'exo_pair']

function dpoKeys({ loss_type: loss = 'sigmoid', f_divergence_type: divergence }: Settings): ConfigKey[] {
  const keys: ConfigKey[] = ['loss_type', 'beta', 'ref_model']
  if (SMOOTHED.includes(loss)) keys.push('label_smoothing')
  if (DIVERGENT.includes(loss)) {
    keys.push('f_divergence_type')
    if (divergence === 'alpha_divergence') keys.push('f_alpha_divergence_coef')
  }
  if (loss === 'discopop') keys.push('discopop_tau')
  if (loss === 'dpop') keys.push('dpop_lambda')
  return keys
}

const dpoDefaults = ({ loss_type: loss }: Settings): Partial<ConfigInput> => ({
  ...HUMAN,
  learning_rate: 5e-7,
  ...(loss === 'robust' && { label_smoothing: 0.1 }),
  ...(loss === 'exo_pair' && { label_smoothing: 0.001 }),
  ...(loss === 'discopop' && { beta: 0.05 }),
  ...(loss === 'sigmoid_norm' && { beta: 2 }),
  ...(loss === 'dpop' && { beta: 0.3 }),
})

function cpoKeys({ loss_type: loss }: Settings): ConfigKey[] {
  const keys: ConfigKey[] = ['loss_type', 'beta', 'cpo_alpha']
  if (loss !== 'hinge') keys.push('label_smoothing')
  return loss === 'alphapo' ? [...keys, 'simpo_gamma', 'alpha'] : keys
}

const cpoDefaults = ({ loss_type: loss }: Settings): Partial<ConfigInput> => ({
  ...HUMAN,
  learning_rate: 1e-6,
  ...(loss === 'alphapo' && { beta: 2, cpo_alpha: 0, learning_rate: 7e-7 }),
})

export const METHODS: Record<MethodName, MethodSpec> = {
  clha: { keys: () => ['mode', 'margin', 'margin_scale', 'list_pairs'], defaults: () => ({}) },
  sft: {
    keys: () => ['sft_target'],
    defaults: () => ({ learning_rate: 2e-5, label_source: 'reward' }),
  },
  bon: { keys: () => [], defaults: () => ({ learning_rate: 2e-5, label_source: 'reward' }) },
  coh: {
    keys: () => ['coh_positive', 'coh_negative', 'list_pairs'],
    defaults: () => ({ ...HUMAN, learning_rate: 2e-5 }),
  },
  pro: {
    keys: () => ['list_pairs'],
    defaults: () => ({ ...REWARD, learning_rate: 5e-6, num_train_epochs: 2, sft_weight: 0.05 }),
  },
  rrhf: {
    keys: () => ['rrhf_weight', 'rrhf_nll', 'list_pairs'],
    defaults: () => ({
      ...REWARD,
      learning_rate: 2e-5,
      num_train_epochs: 3,
      warmup_ratio: 0.03,
      weight_decay: 0,
      sft_weight: 1,
    }),
  },
  dpo: { losses: DPO_LOSSES, keys: (s) => [...dpoKeys(s), 'list_pairs'], defaults: dpoDefaults },
  cal_dpo: {
    keys: () => ['beta', 'ref_model', 'list_pairs'],
    defaults: () => ({ ...HUMAN, learning_rate: 5e-7, beta: 0.002 }),
  },
  kto: {
    losses: KTO_LOSSES,
    keys: () => ['loss_type', 'beta', 'desirable_weight', 'undesirable_weight', 'ref_model', 'list_pairs'],
    defaults: () => ({ ...HUMAN, learning_rate: 1e-6 }),
  },
  bco: {
    keys: () => ['beta', 'desirable_weight', 'undesirable_weight', 'ref_model', 'list_pairs'],
    defaults: () => ({ ...HUMAN, learning_rate: 5e-7 }),
  },
  simpo: {
    keys: () => ['beta', 'simpo_gamma', 'label_smoothing', 'list_pairs'],
    defaults: () => ({ ...HUMAN, learning_rate: 6e-7, beta: 2 }),
  },
  cpo: { losses: CPO_LOSSES, keys: (s) => [...cpoKeys(s), 'list_pairs'], defaults: cpoDefaults },
  orpo: {
    keys: () => ['beta', 'list_pairs'],
    defaults: () => ({ ...HUMAN, learning_rate: 5e-6 }),
  },
  slic_hf: {
    keys: () => ['slic_delta', 'slic_lambda', 'list_pairs'],
    defaults: () => ({ ...HUMAN, learning_rate: 5e-7 }),
  },
}

/** Every setting that belongs to some methods and not to others. */
export const METHOD_KEYS: readonly ConfigKey[] = [
  'loss_type',
  'beta',
  'label_smoothing',
  'f_divergence_type',
  'f_alpha_divergence_coef',
  'discopop_tau',
  'dpop_lambda',
  'simpo_gamma',
  'alpha',
  'cpo_alpha',
  'desirable_weight',
  'undesirable_weight',
  'slic_delta',
  'slic_lambda',
  'rrhf_weight',
  'rrhf_nll',
  'list_pairs',
  'sft_target',
  'ref_model',
  'coh_positive',
  'coh_negative',
]

/** Defaults of a method, its first loss among them. */
export function methodDefaults(settings: Settings): Partial<ConfigInput> {
  const spec = METHODS[settings.method ?? 'clha']
  return { ...(spec.losses && { loss_type: spec.losses[0] }), ...spec.defaults(settings) }
}
