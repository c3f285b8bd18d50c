/** Config keys that change the numbers of a training: a run is resumed only under the same ones. */
import type { ConfigValues } from '../config/defaults.js'

export const TRAJECTORY_KEYS = [
  'dtype',
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
  'lr_scheduler_type',
  'warmup_ratio',
  'warmup_steps',
  'max_steps',
  'per_device_train_batch_size',
  'gradient_accumulation_steps',
  'max_tokens_per_batch',
  'weight_decay',
  'adam_beta1',
  'adam_beta2',
  'adam_epsilon',
  'max_grad_norm',
] as const satisfies readonly (keyof ConfigValues)[]
