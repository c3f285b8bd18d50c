/** Config section: the optimizer, its schedule and its batches. */
import { z } from 'zod'
import { count, fraction, nonNegative, positive, wholeNumber } from './fields.js'

export const trainSection = {
  learning_rate: positive().default(1e-6).describe('peak learning rate; legacy: 5e-6; method sft: 2e-5'),
  lr_scheduler_type: z
    .enum(['linear', 'cosine', 'constant', 'constant_with_warmup'])
    .default('cosine')
    .describe('course of the learning rate; legacy: constant'),
  warmup_ratio: fraction()
    .default(0.1)
    .describe('share of all steps in which the learning rate rises, 0 to 1; constant: 0'),
  warmup_steps: wholeNumber()
    .optional()
    .describe('steps in which the learning rate rises; instead of warmup_ratio'),
  num_train_epochs: positive().default(1).describe('passes over the training data; legacy: 2'),
  max_steps: count().optional().describe('optimizer steps in all; instead of num_train_epochs'),
  per_device_train_batch_size: count()
    .default(8)
    .describe('examples (a prompt with all its answers) per forward group; legacy: 2'),
  gradient_accumulation_steps: count()
    .default(4)
    .describe(
      'forward groups per optimizer step; batch = both numbers multiplied; legacy: 64 (128 prompts a step)',
    ),
  max_tokens_per_batch: count()
    .default(8192)
    .describe('most tokens of a packed micro-batch; bounds the memory and does not change the result'),
  weight_decay: nonNegative().default(0.01).describe('decoupled weight decay of AdamW'),
  adam_beta1: z.number().min(0).lt(1).default(0.9).describe('decay of the first moment, 0 to 1'),
  adam_beta2: z.number().min(0).lt(1).default(0.999).describe('decay of the second moment, 0 to 1'),
  adam_epsilon: positive().default(1e-8).describe("AdamW's epsilon"),
  max_grad_norm: nonNegative().default(1).describe('gradients are clipped to this norm; 0: not clipped'),
}
