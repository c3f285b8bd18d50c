/** DPO with its variants by `loss_type`, and Cal-DPO: log-ratios of pairs. */
import { z } from 'zod'
import { nonNegative, positive } from '../value-shapes.js'
import { pairItems } from './items.js'
import type { Method, OptionsOf, Settings, SharedOptions } from './method.js'
import { ofRatio, type PairVariant, pairwise } from './pairwise.js'
import { HUMAN, rankingShown } from './shared.js'

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
}

type DpoOptions = SharedOptions & OptionsOf<typeof dpoKeys>

const dpoOptions = ({ beta, labelSmoothing, fDivergenceType, fAlphaDivergenceCoef }: DpoOptions) => ({
  beta,
  labelSmoothing,
  divergence: { name: fDivergenceType, alpha: fAlphaDivergenceCoef },
})

const SMOOTHED = ['label_smoothing']
/** The coefficient acts in one of them only: see `idle`. */
const DIVERGENT = ['f_divergence_type', 'f_alpha_divergence_coef']

/** By `loss_type`, as TRL names them; `ipo_sum`, `dpop` and `dr_dpo` are not in TRL. */
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
  bco_pair: { term: async (o) => (await import('../losses/bco.js')).bcoPairTerm(o) },
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
} satisfies Record<string, PairVariant<DpoOptions>>

/** The losses that subtract BCO's running mean. */
const CENTRED = ['bco_pair']

export const dpo = {
  title: 'direct preference optimisation',
  material: 'pairs',
  losses,
  keys: ['loss_type', 'beta', 'ref_model', 'list_pairs'],
  defaults: { ...HUMAN, learning_rate: 5e-7 },
  idle: [
    {
      keys: ['f_alpha_divergence_coef'],
      when: ({ f_divergence_type }: Settings) => f_divergence_type !== 'alpha_divergence',
    },
  ],
  reference: true,
  objective: async (o) => {
    const loss: PairVariant<DpoOptions> = losses[o.lossType as keyof typeof losses]
    const objective = await pairwise('dpo', o, await loss.term(o), ofRatio(o.beta))
    if (!CENTRED.includes(o.lossType as string)) return objective
    return (await import('../train/objectives/objective-pairs.js')).withPairMean(objective, o.beta)
  },
  items: pairItems,
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
