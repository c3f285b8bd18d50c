/** Defaults that depend on other keys: the paper's values in legacy mode, and what follows from the rest. */
import { basename, extname, join } from 'node:path'
import { promptShare } from '../data/limits.js'
import { METHODS, methodDefaults } from '../methods/registry.js'
import { type ConfigKey, configZod, type ParsedConfig } from './schema.js'

/** Keys that have a value once the config is resolved, though the schema has no default for them. */
type Derived = 'max_prompt_length' | 'output_dir' | 'greater_is_better'

export type ConfigValues = Omit<ParsedConfig, Derived> & Required<Pick<ParsedConfig, Derived>>

/** Who set a key: the file, a flag, the mode or method, another key, or nobody. */
export type Origin = 'file' | 'flag' | 'mode' | 'default' | 'derived' | 'unset'

/** The paper's code, arXiv 2403.16649 and its HH scripts: 2 prompts on 8 devices, accumulated 8 times, make 128. */
export const LEGACY_DEFAULTS = {
  margin: 3,
  margin_scale: 'rank',
  sft_weight: 0.05,
  label_source: 'reward',
  pair_weight: 'hard',
  sft_gate: 'hard',
  gate_level: 0,
  reward_threshold: 3,
  splitter: 'legacy',
  max_length: 512,
  max_prompt_length: 384,
  learning_rate: 5e-6,
  lr_scheduler_type: 'constant',
  warmup_ratio: 0,
  num_train_epochs: 2,
  per_device_train_batch_size: 2,
  gradient_accumulation_steps: 64,
  weight_decay: 0.01,
  max_grad_norm: 1,
  eval_steps: 600,
  save_steps: 600,
  max_new_tokens: 128,
  stop: ['Human:', 'human:', 'Assistant:', 'assistant:'],
  sft_num_train_epochs: 0,
} satisfies Partial<ParsedConfig>

/**
 * Fills in what was not given.
 * @param given valid values that file and flags set
 * @param file  path of the config, or a name; it names the run's folder
 */
export function withDefaults(given: Partial<ParsedConfig>, file: string) {
  const chosen = defaultsOf(given)
  const base: Partial<ParsedConfig> = { ...configZod.parse({}), ...chosen, ...given }
  const derived = derive(base, given, file)
  const values = { ...base, ...derived } as ConfigValues
  const originOf = (key: ConfigKey): Exclude<Origin, 'file' | 'flag'> =>
    Object.hasOwn(derived, key)
      ? 'derived'
      : Object.hasOwn(chosen, key)
        ? 'mode'
        : values[key] === undefined
          ? 'unset'
          : 'default'
  return { values, originOf }
}

function defaultsOf(given: Partial<ParsedConfig>): Partial<ParsedConfig> {
  if (given.mode === 'legacy') return LEGACY_DEFAULTS
  return methodDefaults(given) as Partial<ParsedConfig>
}

function derive(
  base: Partial<ParsedConfig>,
  given: Partial<ParsedConfig>,
  file: string,
): Partial<ParsedConfig> {
  const derived: Partial<ParsedConfig> = {}
  const set = <K extends ConfigKey>(key: K, value: ParsedConfig[K]) => {
    if (given[key] === undefined) derived[key] = value
  }
  if (
    base.max_prompt_length === undefined ||
    (base.max_prompt_length >= base.max_length! && !given.max_prompt_length)
  ) {
    set('max_prompt_length', promptShare(base.max_length!))
  }
  // Without rewards there is nothing that a gate could go by; a method that is gated asks for rewards in any case.
  if (!METHODS[base.method!].gated && base.label_source === 'human') set('sft_gate', 'off')
  set('output_dir', join('runs', basename(file, extname(file))))
  if (given.lr_scheduler_type === 'constant' || given.warmup_steps !== undefined) set('warmup_ratio', 0)
  if (given.eval_dataset !== undefined) set('dev_fraction', 0)
  set('greater_is_better', !base.metric_for_best_model!.endsWith('loss'))
  if (!hasDevelopmentData({ ...base, ...derived })) set('load_best_model_at_end', false)
  return derived
}

/** Whether there is anything to evaluate on during training. */
export const hasDevelopmentData = (values: Partial<ParsedConfig>): boolean =>
  values.eval_dataset !== undefined || values.dev_fraction! > 0
