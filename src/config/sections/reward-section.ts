/** Config section: where rewards come from, and how a reward model is trained. */
import { z } from 'zod'
import { count, nonNegative, oneOrMany, positive, text } from '../../value-shapes.js'
import { modelConfig } from './model-section.js'

export const scoreSection = {
  reward_model: oneOrMany(text())
    .optional()
    .describe('reward model that scores the answers: a folder, or a name on the hub; several: weighed'),
  reward_function: text()
    .optional()
    .describe(
      'module (.mjs) that exports score(prompt, answer), which is run to score the answers; instead of a reward_model',
    ),
  reward_format: text()
    .default('auto')
    .describe(
      "how reward_model reads: auto, chat, oasst, pair, a chat template's name or a Jinja file; perplexity: it is a language model",
    ),
  score_cache_dir: text()
    .optional()
    .describe('folder that keeps scores between runs; unset: they are kept until the lists are written'),
}

export const rewardTrainSection = {
  reward_probe: z
    .boolean()
    .default(false)
    .describe(
      'the reward model is a linear probe of the start model, which stays as it is: one pass over the data, for few pairs or little time',
    ),
  reward_model_config: modelConfig()
    .optional()
    .describe('train the reward model from random weights: as model_config; unset: from the start model'),
  folds: count()
    .default(2)
    .describe(
      'reward models cross-fitted by prompt, so that none scores what it was trained on; 1: one model',
    ),
  reward_learning_rate: positive().default(1e-5).describe('peak learning rate of the reward model'),
  reward_num_train_epochs: positive().default(1).describe('passes over the data for the reward model'),
  reward_max_steps: count()
    .optional()
    .describe('optimizer steps of each reward model; instead of reward_num_train_epochs'),
  reward_per_device_train_batch_size: count()
    .default(16)
    .describe('examples per optimizer step of the reward model'),
  center_rewards_coefficient: nonNegative()
    .default(0.01)
    .describe('weight of the term that keeps rewards near 0; 0: off'),
}
