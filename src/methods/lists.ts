/** The losses on lists as a whole: PRO, RRHF, InfoNCA. */
import { z } from 'zod'
import { nonNegative } from '../value-shapes.js'
import { gapItems, pairItems } from './items.js'
import type { LossVariant, Method, OptionsOf, SharedOptions } from './method.js'
import { REWARD, rankingShown } from './shared.js'

export const rrhfKeys = {
  rrhf_weight: nonNegative().default(1).describe('rrhf: weight of the ranking term'),
  rrhf_nll: z
    .enum(['sum', 'mean'])
    .default('sum')
    .describe('rrhf: likelihood of the best answer as sum (the paper) or mean (its code) over tokens'),
}

export const pro: Method = {
  title: 'preference ranking optimisation',
  material: 'pairs',
  keys: ['list_pairs'],
  defaults: { ...REWARD, learning_rate: 5e-6, num_train_epochs: 2, sft_weight: 0.05 },
  objective: async ({ sftWeight }) => {
    const { proObjective } = await import('../train/objectives/objective-pairs.js')
    return proObjective({ sftWeight, epsilon: 0 })
  },
  items: gapItems,
  shown: rankingShown,
}

export const rrhf: Method<SharedOptions & OptionsOf<typeof rrhfKeys>> = {
  title: 'rank responses to align with human feedback',
  material: 'pairs',
  keys: ['rrhf_weight', 'rrhf_nll', 'list_pairs'],
  defaults: {
    ...REWARD,
    learning_rate: 2e-5,
    num_train_epochs: 3,
    warmup_ratio: 0.03,
    weight_decay: 0,
    sft_weight: 1,
  },
  objective: async ({ rrhfWeight: rankWeight, sftWeight, rrhfNll: nll }) => {
    const { rrhfObjective } = await import('../train/objectives/objective-pairs.js')
    return rrhfObjective({ rankWeight, sftWeight, nll })
  },
  items: pairItems,
  shown: rankingShown,
}

/** Rewards as soft labels of all answers of a list, and the policy's log-ratios held against them. */
export const infonca = {
  title: 'noise contrastive alignment with rewards',
  material: 'pairs',
  losses: { infonca: {}, nca: {} } satisfies Record<string, LossVariant>,
  keys: ['loss_type', 'beta', 'gap_scale', 'ref_model'],
  defaults: { ...REWARD, learning_rate: 5e-7, beta: 0.01, sft_weight: 0 },
  reference: true,
  objective: async ({ beta, gapScale, sftWeight, lossType }) => {
    const { infoNcaObjective } = await import('../train/objectives/objective-pairs.js')
    return infoNcaObjective({ beta, gapScale, sftWeight, kind: lossType === 'nca' ? 'nca' : 'infonca' })
  },
  items: (lists, encoded) => gapItems(lists, encoded, { listPairs: 'all' }),
  shown: rankingShown,
} satisfies Method
