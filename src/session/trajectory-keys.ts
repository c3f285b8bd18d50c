/** Config keys that change the numbers of a training: a run is resumed only under the same ones. */

import { METHOD_KEYS } from '../config/methods.js'
import type { ConfigKey } from '../config/schema.js'

export const TRAJECTORY_KEYS: readonly ConfigKey[] = [
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
  'mode',
  'margin',
  'margin_scale',
  'sft_weight',
  // The reference model shows in the log-probabilities, which are part of the items' hash.
  ...METHOD_KEYS.filter((key) => key !== 'ref_model'),
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
