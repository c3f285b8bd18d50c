/** The losses on answers judged by themselves: KTO and BCO. */
import { nonNegative } from '../value-shapes.js'
import { rowItems, withMismatched } from './items.js'
import type { LossVariant, Method, OptionsOf, SharedOptions } from './method.js'
import { HUMAN } from './shared.js'

export const rowsKeys = {
  desirable_weight: nonNegative().default(1).describe('kto, bco: weight of the desirable answers'),
  undesirable_weight: nonNegative().default(1).describe('kto, bco: weight of the undesirable answers'),
}

type RowsOptions = SharedOptions & OptionsOf<typeof rowsKeys>

const onRows = {
  material: 'rows',
  reference: true,
  shown: () => ({ chosen: 'rewards/chosen', rejected: 'rewards/rejected' }),
} as const

const KEYS = ['beta', 'desirable_weight', 'undesirable_weight', 'ref_model', 'list_pairs']

const weightsOf = ({ beta, desirableWeight, undesirableWeight, sftWeight }: RowsOptions) => ({
  beta,
  desirableWeight,
  undesirableWeight,
  sftWeight,
})

/** Whether the loss needs log-ratios of answers to other prompts. */
const takesMismatched = ({ lossType }: SharedOptions) => lossType === 'kto'

export const kto = {
  ...onRows,
  title: 'Kahneman-Tversky optimisation',
  losses: { kto: {}, apo_zero_unpaired: {} } satisfies Record<string, LossVariant>,
  keys: ['loss_type', ...KEYS],
  defaults: { ...HUMAN, learning_rate: 1e-6 },
  objective: async (o) => {
    const { ktoTerm } = await import('../losses/kto.js')
    const { rowsObjective } = await import('../train/objectives/objective-rows.js')
    const mismatched = takesMismatched(o)
    return rowsObjective({ name: 'kto', ...weightsOf(o), term: ktoTerm(o), mismatched })
  },
  items: (lists, encoded, o) => {
    const items = rowItems(lists, encoded, o)
    return takesMismatched(o) ? withMismatched(items, o.maxLength) : items
  },
  logs: ['kl'],
} satisfies Method<RowsOptions>

export const bco: Method<RowsOptions> = {
  ...onRows,
  title: 'binary classifier optimisation',
  keys: KEYS,
  defaults: { ...HUMAN, learning_rate: 5e-7 },
  objective: async (o) => {
    const { bcoTerm } = await import('../losses/bco.js')
    const { withRunningMean } = await import('../train/objectives/objective-pairs.js')
    const { rowRewards, rowsObjective } = await import('../train/objectives/objective-rows.js')
    const objective = rowsObjective({ name: 'bco', ...weightsOf(o), term: bcoTerm(o), mismatched: false })
    return withRunningMean(objective, rowRewards(o.beta))
  },
  items: rowItems,
  logs: ['delta'],
}
