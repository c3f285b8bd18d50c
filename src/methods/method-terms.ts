/** The losses on pairs by the config's names: which term stands for which, with which constants. */
import { alphapoTerm } from '../losses/alphapo.js'
import { aotFacts, aotTerm, aotUnpairedFacts, aotUnpairedTerm } from '../losses/aot.js'
import { apoDownTerm, apoZeroTerm } from '../losses/apo.js'
import { bcoPairTerm } from '../losses/bco.js'
import { calDpoTerm } from '../losses/cal-dpo.js'
import { cpoHingeTerm, cpoTerm } from '../losses/cpo.js'
import { discopopTerm } from '../losses/discopop.js'
import { dpoTerm } from '../losses/dpo.js'
import { dpoHingeTerm } from '../losses/dpo-hinge.js'
import { robustTerm } from '../losses/dpo-robust.js'
import { dpopTerm } from '../losses/dpop.js'
import { exoTerm } from '../losses/exo.js'
import { ipoTerm } from '../losses/ipo.js'
import { ncaTerm } from '../losses/nca.js'
import { orpoTerm } from '../losses/orpo.js'
import type { PairTerm } from '../losses/pairwise.js'
import { sigmoidNormTerm } from '../losses/sigmoid-norm.js'
import { simpoTerm } from '../losses/simpo.js'
import { slicTerm } from '../losses/slic-hf.js'
import { sppoTerm } from '../losses/sppo.js'
import type { Session } from '../session/session.js'
import type { PairwiseObjective } from '../train/objectives/objective-pairs.js'

type Options = Session['options']

type Term = Pick<PairwiseObjective, 'term' | 'facts'>

/** By `loss_type`. */
const DPO: Record<string, (o: Options) => Term> = {
  sigmoid: (o) => ({ term: dpoTerm(dpoOptions(o)) }),
  robust: (o) => ({ term: robustTerm(dpoOptions(o)) }),
  hinge: (o) => ({ term: dpoHingeTerm(dpoOptions(o)) }),
  ipo: ({ beta }) => ({ term: ipoTerm({ beta, over: 'tokens' }) }),
  ipo_sum: ({ beta }) => ({ term: ipoTerm({ beta, over: 'sums' }) }),
  apo_zero: (o) => ({ term: apoZeroTerm(o) }),
  apo_down: (o) => ({ term: apoDownTerm(o) }),
  exo_pair: (o) => ({ term: exoTerm(dpoOptions(o)) }),
  nca_pair: (o) => ({ term: ncaTerm(o) }),
  bco_pair: (o) => ({ term: bcoPairTerm(o) }),
  sppo_hard: (o) => ({ term: sppoTerm(o) }),
  aot: (o) => ({ term: aotTerm(o), facts: aotFacts }),
  aot_unpaired: (o) => ({ term: aotUnpairedTerm(o), facts: aotUnpairedFacts }),
  discopop: ({ beta, discopopTau: tau }) => ({ term: discopopTerm({ beta, tau }) }),
  sigmoid_norm: (o) => ({ term: sigmoidNormTerm(o) }),
  dpop: ({ beta, dpopLambda: lambda }) => ({ term: dpopTerm({ beta, lambda }) }),
}

const dpoOptions = ({ beta, labelSmoothing, fDivergenceType, fAlphaDivergenceCoef }: Options) => ({
  beta,
  labelSmoothing,
  divergence: { name: fDivergenceType, alpha: fAlphaDivergenceCoef },
})

function cpoTermOf(o: Options): PairTerm {
  if (o.lossType === 'hinge') return cpoHingeTerm(o)
  return o.lossType === 'alphapo' ? alphapoTerm({ ...o, gamma: o.simpoGamma }) : cpoTerm(o)
}

const S = (beta: number) => (sum: number) => beta * sum
const s = (beta: number) => (sum: number, count: number) => (beta * sum) / Math.max(1, count)
const D = (beta: number) => (sum: number, _: number, reference: number) => beta * (sum - reference)

/** The pairwise loss of a method, and its implicit reward as TRL logs it; undefined for methods of another kind. */
export function pairwiseMethod(o: Options): PairwiseObjective | undefined {
  const { method: name, beta, sftWeight } = o
  const pairwise = (term: Term, reward: PairwiseObjective['reward'], nllWeight = 0): PairwiseObjective => {
    return { name, ...term, reward, nllWeight, sftWeight }
  }
  switch (name) {
    case 'dpo':
      return pairwise(DPO[o.lossType as string](o), D(beta))
    case 'cal_dpo':
      return pairwise({ term: calDpoTerm(o) }, D(beta))
    case 'simpo':
      return pairwise({ term: simpoTerm({ ...o, gamma: o.simpoGamma }) }, s(beta))
    case 'cpo':
      return pairwise({ term: cpoTermOf(o) }, o.lossType === 'alphapo' ? s(beta) : S(beta), o.cpoAlpha)
    case 'orpo':
      return pairwise({ term: orpoTerm(o) }, s(beta), 1)
    case 'slic_hf':
      return pairwise({ term: slicTerm({ delta: o.slicDelta, lambda: o.slicLambda }) }, S(1))
    default:
      return undefined
  }
}
