/** DPO with its variants by `loss_type`, and Cal-DPO: log-ratios of pairs. */
import { z } from 'zod'
import type { PairLoss } from '../losses/pairwise.js'
import { fraction, nonNegative, positive } from '../value-shapes.js'
import { withFronts } from './fronts.js'
import { gapItems, pairItems } from './items.js'
import type { LossVariant, Method, OptionsOf, Settings, SharedOptions } from './method.js'
import { lossOf, ofRatio, type PairVariant, pairwise } from './pairwise.js'
import { HUMAN, REWARD, rankingShown } from './shared.js'

export const dpoKeys = {
  f_divergence_type: z
    .enum(['reverse_kl', 'forward_kl', 'js_divergence', 'alpha_divergence'])
    .default('reverse_kl')
    .describe('divergence from the reference'),
  f_alpha_divergence_coef: positive().default(1).describe('alpha of the alpha divergence'),
  discopop_tau: positive().default(0.05).describe('temperature of the mixture of discopop'),
  dpop_lambda: nonNegative()
    .default(50)
    .describe('dpop: penalty where the better answer falls below the reference'),
  dr_dpo_beta: positive()
    .default(1)
    .describe('dr_dpo: the smaller, the less a pair counts that the policy finds unlikely'),
  loss_weights: z
    .array(nonNegative())
    .min(1)
    .optional()
    .describe('dpo: what each loss of a loss_type list counts; unset: 1 each'),
  use_weighting: z
    .boolean()
    .default(false)
    .describe('dpo: pairs count as much as the policy itself would give their answers (WPO)'),
  ld_alpha: fraction()
    .optional()
    .describe(
      "dpo: what an answer's tokens beyond the length of the other one count, 0 to 1 (LD-DPO); unset: 1",
    ),
  rpo_em_reliability: z
    .number()
    .gt(0.5)
    .lt(1)
    .default(0.75)
    .describe('rpo_em: share of right labels that is believed at first, 0.5 to 1'),
  rpo_em_rate: fraction()
    .default(0.1)
    .describe('rpo_em: how fast that share follows what the policy believes'),
  ropo_alpha: positive().default(14).describe('ropo: the larger, the more its bounded term counts'),
}

type DpoOptions = SharedOptions & OptionsOf<typeof dpoKeys>

const namesOf = ({ lossType }: SharedOptions): string[] => [lossType ?? []].flat()

const dpoOptions = ({ beta, labelSmoothing, fDivergenceType, fAlphaDivergenceCoef }: DpoOptions) => ({
  beta,
  labelSmoothing,
  divergence: { name: fDivergenceType, alpha: fAlphaDivergenceCoef },
})

const SMOOTHED = ['label_smoothing']
/** The coefficient acts in one of them only: see `idle`. */
const DIVERGENT = ['f_divergence_type', 'f_alpha_divergence_coef']

/** The reward says how far apart the answers are: by `label_source`, so the reward alone unless another is named. */
const OF_GAPS = { gaps: true, keys: ['gap_scale'], defaults: REWARD } as const

/** By `loss_type`, as TRL names them; those from `ipo_sum` on are not in TRL, but for `sft`. The names of `rpo_` are NeMo's. */
const losses = {
  sigmoid: {
    keys: [...SMOOTHED, ...DIVERGENT],
    term: async (o) => (await import('../losses/dpo.js')).dpoTerm(dpoOptions(o)),
  },
  robust: {
    keys: [...SMOOTHED, ...DIVERGENT],
    defaults: { label_smoothing: 0.1 },
    term: async (o) => (await import('../losses/dpo-robust.js')).robustTerm(dpoOptions(o)),
  },
  hinge: {
    keys: DIVERGENT,
    term: async (o) => (await import('../losses/dpo-hinge.js')).dpoHingeTerm(dpoOptions(o)),
  },
  ipo: { term: async ({ beta }) => (await import('../losses/ipo.js')).ipoTerm({ beta, over: 'tokens' }) },
  ipo_sum: { term: async ({ beta }) => (await import('../losses/ipo.js')).ipoTerm({ beta, over: 'sums' }) },
  apo_zero: { term: async (o) => (await import('../losses/apo.js')).apoZeroTerm(o) },
  apo_down: { term: async (o) => (await import('../losses/apo.js')).apoDownTerm(o) },
  exo_pair: {
    keys: [...SMOOTHED, ...DIVERGENT],
    defaults: { label_smoothing: 0.001 },
    term: async (o) => (await import('../losses/exo.js')).exoTerm(dpoOptions(o)),
  },
  nca_pair: { term: async (o) => (await import('../losses/nca.js')).ncaTerm(o) },
  bco_pair: { term: async (o) => (await import('../losses/bco.js')).bcoPairLoss(o) },
  sppo_hard: { term: async (o) => (await import('../losses/sppo.js')).sppoTerm(o) },
  aot: {
    keys: SMOOTHED,
    term: async (o) => {
      const { aotFacts, aotTerm } = await import('../losses/aot.js')
      return { term: aotTerm(o), facts: aotFacts }
    },
  },
  aot_unpaired: {
    keys: SMOOTHED,
    term: async (o) => {
      const { aotUnpairedFacts, aotUnpairedTerm } = await import('../losses/aot.js')
      return { term: aotUnpairedTerm(o), facts: aotUnpairedFacts }
    },
  },
  discopop: {
    keys: ['discopop_tau'],
    defaults: { beta: 0.05 },
    term: async ({ beta, discopopTau: tau }) =>
      (await import('../losses/discopop.js')).discopopTerm({ beta, tau }),
  },
  sigmoid_norm: {
    defaults: { beta: 2 },
    term: async (o) => (await import('../losses/sigmoid-norm.js')).sigmoidNormTerm(o),
  },
  dpop: {
    keys: ['dpop_lambda'],
    defaults: { beta: 0.3 },
    term: async ({ beta, dpopLambda: lambda }) =>
      (await import('../losses/dpop.js')).dpopTerm({ beta, lambda }),
  },
  dr_dpo: {
    keys: ['dr_dpo_beta'],
    term: async ({ beta, drDpoBeta: betaPrime }) => {
      const { drDpoFacts, drDpoTerm } = await import('../losses/dr-dpo.js')
      return { term: drDpoTerm({ beta, betaPrime }), facts: drDpoFacts({ beta, betaPrime }) }
    },
  },
  rpo_em: {
    keys: ['rpo_em_reliability', 'rpo_em_rate'],
    term: async ({ beta, rpoEmReliability: reliability, rpoEmRate: rate }) =>
      (await import('../losses/rpo-em.js')).rpoEmLoss({ beta, reliability, rate }),
  },
  ropo: {
    keys: ['ropo_alpha'],
    term: async ({ beta, ropoAlpha: alpha }) => (await import('../losses/ropo.js')).ropoTerm({ beta, alpha }),
  },
  rpo_sq: { ...OF_GAPS, term: async (o) => (await import('../losses/rpo.js')).rpoSqTerm(o) },
  rpo_bwd_kl: { ...OF_GAPS, term: async (o) => (await import('../losses/rpo.js')).rpoBwdKlTerm(o) },
  rpo_fwd_kl: { ...OF_GAPS, term: async (o) => (await import('../losses/rpo.js')).rpoFwdKlTerm(o) },
  mmpo: { ...OF_GAPS, term: async (o) => (await import('../losses/reward-margins.js')).mmpoTerm(o) },
  odpo: { ...OF_GAPS, term: async (o) => (await import('../losses/reward-margins.js')).odpoTerm(o) },
  sft: { likelihood: true, term: async () => (await import('../losses/mix.js')).noTerm },
} satisfies Record<string, PairVariant<DpoOptions>>

const OF_THE_STEP = ['aot', 'aot_unpaired', 'dr_dpo']

/** The losses as one, and the weight of the likelihood among them, which is a term of its own. */
async function mixOf(o: DpoOptions): Promise<{ loss: PairLoss; nllWeight: number }> {
  const parts = namesOf(o).map((name, i) => {
    const variant: PairVariant<DpoOptions> = losses[name as keyof typeof losses]
    return { name, variant, weight: o.lossWeights?.[i] ?? 1 }
  })
  const loaded = await Promise.all(
    parts.map(async ({ name, variant, weight }) => ({ name, weight, loss: lossOf(await variant.term(o)) })),
  )
  const nllWeight = parts.reduce((sum, { variant, weight }) => sum + (variant.likelihood ? weight : 0), 0)
  const alone = loaded.length === 1 && loaded[0].weight === 1
  return { loss: alone ? loaded[0].loss : (await import('../losses/mix.js')).mixed(loaded), nllWeight }
}

export const dpo = {
  title: 'direct preference optimisation',
  material: 'pairs',
  losses,
  mixes: true,
  keys: ['loss_type', 'loss_weights', 'use_weighting', 'ld_alpha', 'beta', 'ref_model', 'list_pairs'],
  defaults: { ...HUMAN, learning_rate: 5e-7 },
  idle: [
    {
      keys: ['use_weighting'],
      reason: 'aot, aot_unpaired and dr_dpo go by the whole step: no weight of a single pair fits in',
      when: ({ loss_type }: Settings) => [loss_type ?? []].flat().some((name) => OF_THE_STEP.includes(name)),
    },
    {
      keys: ['loss_weights'],
      reason: 'there is one loss: give a list of them as loss_type',
      when: ({ loss_type }: Settings) => !Array.isArray(loss_type),
    },
    {
      keys: ['f_alpha_divergence_coef'],
      when: ({ f_divergence_type }: Settings) => f_divergence_type !== 'alpha_divergence',
    },
  ],
  reference: true,
  objective: async (o) => {
    const { loss, nllWeight } = await mixOf(o)
    const { ldAlpha, useWeighting: weighting } = o
    return pairwise('dpo', o, loss, ofRatio(o.beta), { nllWeight, ldAlpha, weighting })
  },
  items: (lists, encoded, o) => {
    const ofGaps = namesOf(o).some((name) => (losses[name as keyof typeof losses] as LossVariant).gaps)
    const items = (ofGaps ? gapItems : pairItems)(lists, encoded, o)
    return o.ldAlpha === undefined || o.ldAlpha === 1 ? items : withFronts(items)
  },
  shown: rankingShown,
} satisfies Method<DpoOptions>

export const calDpo: Method = {
  title: 'DPO with calibrated rewards',
  material: 'pairs',
  keys: ['beta', 'ref_model', 'list_pairs'],
  defaults: { ...HUMAN, learning_rate: 5e-7, beta: 0.002 },
  reference: true,
  objective: async (o) =>
    pairwise('cal_dpo', o, (await import('../losses/cal-dpo.js')).calDpoTerm(o), ofRatio(o.beta)),
  items: pairItems,
  shown: rankingShown,
}
