/** Config section: how rewards and labels become pairs, weights and gates. */
import { z } from 'zod'
import { fraction, nonNegative, oneOrMany, positive, text } from '../../value-shapes.js'

export const rescoreSection = {
  label_source: z
    .enum(['auto', 'posterior', 'reward', 'human', 'agreement', 'perplexity'])
    .default('auto')
    .describe(
      'who orders the answers: both, reward, label, or where both agree; auto: by what labels tell; perplexity: PerpCorrect; legacy: reward',
    ),
  relabels: oneOrMany(text())
    .optional()
    .describe('files of second labels (clha relabel makes them): they tell how often labels err'),
  pair_weight: z
    .enum(['soft', 'hard'])
    .default('soft')
    .describe('soft: a pair counts as much as it is certain (2q - 1); hard: all or nothing; legacy: hard'),
  min_confidence: z
    .number()
    .min(0.5)
    .lt(1)
    .default(0.6)
    .describe('pairs whose order is less probable than this are left alone, 0.5 to 1'),
  sft_gate: z
    .enum(['soft', 'hard', 'off'])
    .default('soft')
    .describe('the SFT term fades (soft) or stops (hard) where even the best answer is poor; legacy: hard'),
  gate_quantile: fraction()
    .default(0.25)
    .describe('the gate is half open at this quantile of the best rewards of a source, 0 to 1'),
  gate_level: z.number().optional().describe("the gate's level itself, in units of the reward; legacy: 0"),
  reward_threshold: nonNegative()
    .optional()
    .describe('legacy only: pairs with a smaller reward gap are left alone, units of the reward; legacy: 3'),
  label_error: z
    .number()
    .min(0)
    .lt(0.5)
    .optional()
    .describe('share of reversed labels, 0 to 0.5; unset: estimated from the data'),
  reward_temperature: positive()
    .optional()
    .describe('T of sigmoid(reward gap / T), units of the reward; unset: estimated from the data'),
}
