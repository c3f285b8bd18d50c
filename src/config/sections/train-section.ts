/** Config section: the optimizer, its schedule and its batches. */
import { z } from 'zod'
import { SCHEDULES } from '../../optim/schedule.js'
import { count, fraction, nonNegative, positive, wholeNumber } from '../../value-shapes.js'

export const trainSection = {
  learning_rate: positive().default(1e-6).describe('peak learning rate; legacy: 5e-6; method sft: 2e-5'),
  lr_scheduler_type: z
    .enum(SCHEDULES)
    .default('cosine')
    .describe('course of the learning rate; legacy: constant'),
  lr_scheduler_kwargs: z
    .strictObject({
      min_lr: nonNegative().optional().describe('cosine_with_min_lr: lowest rate'),
      min_lr_rate: fraction()
        .optional()
        .describe('cosine_with_min_lr: lowest rate as a share of learning_rate'),
      num_cycles: count().optional().describe('cosine_with_restarts: cycles; unset: 1'),
      lr_end: nonNegative().optional().describe('polynomial: rate at the end; unset: 1e-7'),
      power: positive().optional().describe('polynomial: exponent; unset: 1'),
      timescale: count().optional().describe('inverse_sqrt: steps; unset: the warm-up, else 10000'),
      num_decay_steps: count()
        .optional()
        .describe('warmup_stable_decay: last steps, in which the rate falls'),
    })
    .optional()
    .describe('settings of the schedule, such as {min_lr_rate: 0.1}; unset: those of transformers'),
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
    .default(2048)
    .describe(
      'most tokens of a packed micro-batch; bounds the memory and does not change the result; on a GPU: 8192 unless it is set',
    ),
  gradient_checkpointing: z
    .union([z.boolean(), z.enum(['auto'])])
    .default('auto')
    .describe(
      'computes blocks again for their gradients: less memory, more time, same result; auto: where the plan finds no room',
    ),
  bf16: z
    .boolean()
    .default(false)
    .describe(
      'mixed precision: trainings make the matrix products of the blocks in bfloat16; weights, gradients and everything else stay float32',
    ),
  optim: z
    .enum(['adamw', 'rmsprop', 'sgd'])
    .default('adamw')
    .describe('adamw; rmsprop, as the DPO paper; sgd, with momentum'),
  rmsprop_alpha: z.number().min(0).lt(1).default(0.99).describe('decay of the mean of squares of rmsprop'),
  sgd_momentum: z.number().min(0).lt(1).default(0.9).describe('momentum of sgd, 0 to 1'),
  weight_decay: nonNegative()
    .default(0.01)
    .describe('decoupled weight decay of AdamW; of sgd, added to the gradient'),
  adam_beta1: z.number().min(0).lt(1).default(0.9).describe('decay of the first moment, 0 to 1'),
  adam_beta2: z.number().min(0).lt(1).default(0.999).describe('decay of the second moment, 0 to 1'),
  adam_epsilon: positive().default(1e-8).describe('epsilon of AdamW and rmsprop'),
  max_grad_norm: nonNegative().default(1).describe('gradients are clipped to this norm; 0: not clipped'),
}
