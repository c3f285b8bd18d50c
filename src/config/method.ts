/** Config section: the training method and the constants of its loss. */
import { z } from 'zod'
import { nonNegative } from './fields.js'

export const methodSection = {
  method: z
    .enum(['clha', 'sft'])
    .default('clha')
    .describe('clha: contrast and adaptive SFT; sft: the best answer only'),
  mode: z
    .enum(['default', 'legacy'])
    .default('default')
    .describe("legacy: the rules and the defaults of the paper's code"),
  margin: nonNegative().default(1).describe('margin of the contrast, nats per token; legacy: 3'),
  margin_scale: z
    .enum(['constant', 'rank'])
    .default('constant')
    .describe('rank: the margin is multiplied by the rank distance of the pair; legacy: rank'),
  sft_weight: nonNegative()
    .default(1)
    .describe('weight of the SFT term, which is a mean over tokens; legacy: 0.05, on sums over tokens'),
}
