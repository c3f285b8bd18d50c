/** The losses on pairs that need no reference: SimPO, CPO, ORPO, SLiC-HF. */
import { z } from 'zod'
import { nonNegative } from '../value-shapes.js'
import { pairItems } from './items.js'
import type { Method, OptionsOf, SharedOptions } from './method.js'
import { ofMean, ofSum, type PairVariant, pairwise } from './pairwise.js'
import { HUMAN, rankingShown } from './shared.js'

export const pairsKeys = {
  simpo_gamma: nonNegative().default(1).describe('target margin of simpo and alphapo'),
  alpha: z.number().default(0.25).describe("alphapo: shape of the reward; 0: SimPO's"),
  cpo_alpha: nonNegative()
    .default(1)
    .describe('cpo: weight of the likelihood of the better answers; alphapo: 0'),
}

export const slicKeys = {
  slic_delta: nonNegative().default(1).describe('slic_hf: margin, nats'),
  slic_lambda: nonNegative().default(0.1).describe('slic_hf: weight of the likelihood of the better answers'),
}

type PairsOptions = SharedOptions & OptionsOf<typeof pairsKeys>

const onPairs = { material: 'pairs', items: pairItems, shown: rankingShown } as const

export const simpo: Method<PairsOptions> = {
  ...onPairs,
  title: 'simple preference optimisation',
  keys: ['beta', 'simpo_gamma', 'label_smoothing', 'list_pairs'],
  defaults: { ...HUMAN, learning_rate: 6e-7, beta: 2 },
  objective: async (o) => {
    const { simpoTerm } = await import('../losses/simpo.js')
    return pairwise('simpo', o, simpoTerm({ ...o, gamma: o.simpoGamma }), ofMean(o.beta))
  },
}

const cpoLosses = {
  sigmoid: {
    keys: ['label_smoothing'],
    term: async (o) => (await import('../losses/cpo.js')).cpoTerm(o),
  },
  hinge: { term: async (o) => (await import('../losses/cpo.js')).cpoHingeTerm(o) },
  alphapo: {
    keys: ['label_smoothing', 'simpo_gamma', 'alpha'],
    defaults: { beta: 2, cpo_alpha: 0, learning_rate: 7e-7 },
    term: async (o) => (await import('../losses/alphapo.js')).alphapoTerm({ ...o, gamma: o.simpoGamma }),
  },
} satisfies Record<string, PairVariant<PairsOptions>>

export const cpo = {
  ...onPairs,
  title: 'contrastive preference optimisation',
  losses: cpoLosses,
  keys: ['loss_type', 'beta', 'cpo_alpha', 'list_pairs'],
  defaults: { ...HUMAN, learning_rate: 1e-6 },
  objective: async (o) => {
    const loss: PairVariant<PairsOptions> = cpoLosses[o.lossType as keyof typeof cpoLosses]
    const reward = o.lossType === 'alphapo' ? ofMean(o.beta) : ofSum(o.beta)
    return pairwise('cpo', o, await loss.term(o), reward, { nllWeight: o.cpoAlpha })
  },
} satisfies Method<PairsOptions>

export const orpo: Method = {
  ...onPairs,
  title: 'odds-ratio preference optimisation',
  keys: ['beta', 'list_pairs'],
  defaults: { ...HUMAN, learning_rate: 5e-6 },
  objective: async (o) =>
    pairwise('orpo', o, (await import('../losses/orpo.js')).orpoTerm(o), ofMean(o.beta), { nllWeight: 1 }),
}

export const slicHf: Method<SharedOptions & OptionsOf<typeof slicKeys>> = {
  ...onPairs,
  title: 'sequence likelihood calibration',
  keys: ['slic_delta', 'slic_lambda', 'list_pairs'],
  defaults: { ...HUMAN, learning_rate: 5e-7 },
  objective: async (o) => {
    const { slicTerm } = await import('../losses/slic-hf.js')
    return pairwise('slic_hf', o, slicTerm({ delta: o.slicDelta, lambda: o.slicLambda }), ofSum(1))
  },
}
