/** CLHA: contrast and adaptive SFT. */
import { z } from 'zod'
import { nonNegative } from '../value-shapes.js'
import { pairItems } from './items.js'
import type { Method, OptionsOf, SharedOptions } from './method.js'
import { rankingShown } from './shared.js'

export const clhaKeys = {
  mode: z
    .enum(['default', 'legacy'])
    .default('default')
    .describe("legacy: the rules and the defaults of the paper's code"),
  margin: nonNegative().default(1).describe('margin of the contrast, nats per token; legacy: 3'),
  margin_scale: z
    .enum(['constant', 'rank'])
    .default('constant')
    .describe('rank: the margin is multiplied by the rank distance of the pair; legacy: rank'),
}

type ClhaOptions = SharedOptions & OptionsOf<typeof clhaKeys>

export const clha: Method<ClhaOptions> = {
  title: 'contrastive learning for human alignment',
  material: 'pairs',
  keys: [...Object.keys(clhaKeys), 'list_pairs'],
  only: [...Object.keys(clhaKeys), 'reward_threshold'],
  variant: ({ mode }) => (mode === 'legacy' ? mode : undefined),
  gated: true,
  objective: async (o, answers) => {
    const { clhaObjective } = await import('../train/objectives/objective.js')
    const legacy = o.mode === 'legacy'
    return clhaObjective({
      margin: o.margin,
      marginScale: o.marginScale,
      // The paper's code scales the SFT weight with the number of candidates (its 0.05 is for n = 2).
      sftWeight: legacy ? o.sftWeight * (answers - 1) ** 2 : o.sftWeight,
      sftReduction: legacy ? 'lists' : 'tokens',
      legacy,
    })
  },
  items: pairItems,
  shown: rankingShown,
}
