/** Config keys that change the numbers of a training: a run is resumed only under the same ones. */

import type { ConfigValues } from '../config/defaults.js'
import type { ConfigKey } from '../config/schema.js'
import { actingKeys, METHOD_KEYS } from '../methods/registry.js'

/** The settings of methods that version 0.1.0 recorded, whether they acted or not. */
const FIRST: readonly string[] = [
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
  'coh_positive',
  'coh_negative',
  'mode',
  'margin',
  'margin_scale',
]

const COMMON: readonly ConfigKey[] = [
  'dtype',
  'bf16',
  'max_samples',
  'dev_fraction',
  'max_length',
  'max_prompt_length',
  'truncation',
  'chat_template',
  'splitter',
  'method',
  'sft_weight',
  'lr_scheduler_type',
  'lr_scheduler_kwargs',
  'warmup_ratio',
  'warmup_steps',
  'max_steps',
  'per_device_train_batch_size',
  'gradient_accumulation_steps',
  'max_tokens_per_batch',
  'optim',
  'rmsprop_alpha',
  'sgd_momentum',
  'weight_decay',
  'adam_beta1',
  'adam_beta2',
  'adam_epsilon',
  'max_grad_norm',
  'metric_for_best_model',
  'greater_is_better',
]

/** The keys to record: a method's newer settings only where they act and are on, so that runs of earlier versions can go on. */
export function trajectoryKeys(values: ConfigValues): ConfigKey[] {
  const acting = actingKeys(values)
  // The reference model shows in the log-probabilities, which are part of the items' hash.
  const own = METHOD_KEYS.filter(
    (key) => key !== 'ref_model' && (FIRST.includes(key) || (acting.includes(key) && isOn(values[key]))),
  )
  return [...COMMON, ...own]
}

const isOn = (value: unknown): boolean => value !== undefined && value !== false
