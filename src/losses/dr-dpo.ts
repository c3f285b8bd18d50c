/**
 * Dr. DPO: DPO against label noise between pairs, arXiv 2407.07880, eq. 12: -b' ln mean exp(-l / b') over the pairs of the
 * optimizer step, l = -ln sg(beta (D_w - D_l)). Pairs that the policy finds unlikely count less, e^(-l / b') each. With Z the
 * mean, a pair's share is
 *
 *   b' (1 - exp(-l / b') / Z) - b' ln Z
 *
 * whose weighted mean is the loss and whose gradient, Z held, is the loss's own: so it adds up over micro-batches. Checked
 * against an independent formula in f64.
 */
import { logSigmoid } from '../statistics/statistics.js'
import { ops } from '../tensor/index.js'
import { rewardMargin } from './dpo.js'
import { boundedExp, logistic, oneMinus } from './math.js'
import type { PairNumbers, PairTerm } from './pairwise.js'
import type { StepFacts } from './types.js'

export interface DrDpoOptions {
  beta: number
  /** b': the smaller, the less an unlikely pair counts; without bound it is DPO. */
  betaPrime: number
}

/** ln Z, over all pairs of the step. */
export const drDpoFacts =
  ({ beta, betaPrime }: DrDpoOptions) =>
  (pairs: readonly PairNumbers[]): StepFacts => {
    const exponents = pairs.map((p) => {
      const gap = p.better - p.betterReference - (p.worse - p.worseReference)
      return logSigmoid(beta * gap) / betaPrime
    })
    const most = Math.max(...exponents)
    let [sum, weights] = [0, 0]
    pairs.forEach(({ pair }, k) => {
      sum += pair.weight * Math.exp(exponents[k] - most)
      weights += pair.weight
    })
    return { shift: weights > 0 ? most + Math.log(sum / weights) : 0, metrics: {} }
  }

/** @returns the share of each pair, [P] */
export const drDpoTerm =
  ({ beta, betaPrime }: DrDpoOptions): PairTerm =>
  (better, worse, { facts }) => {
    const logMean = facts?.shift ?? 0
    const exponent = ops.mulScalar(logistic(rewardMargin(better, worse, beta)), -1 / betaPrime)
    const likelihood = boundedExp(ops.addScalar(exponent, -logMean))
    return ops.addScalar(ops.mulScalar(oneMinus(likelihood), betaPrime), -betaPrime * logMean)
  }
