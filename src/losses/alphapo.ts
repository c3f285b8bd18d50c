/**
 * AlphaPO: SimPO with the reward (1 - p^-alpha) / alpha, p = exp(s); alpha = 0 is SimPO's s. arXiv 2501.03884; checked
 * against TRL's CPOTrainer (`alphapo`).
 * TRL 1.16.0, `CPOTrainer.cpo_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import { boundedExp, logistic } from './math.js'
import type { PairTerm, Side } from './pairwise.js'
import type { SimpoOptions } from './simpo.js'

export const alphapoTerm =
  ({ beta, gamma, labelSmoothing, alpha }: SimpoOptions & { alpha: number }): PairTerm =>
  (better, worse) => {
    const reward = (side: Side) =>
      alpha === 0 ? side.mean() : ops.mulScalar(boundedExp(ops.mulScalar(side.mean(), -alpha)), -1 / alpha)
    const margin = ops.mulScalar(ops.sub(reward(better), reward(worse)), beta)
    return logistic(ops.addScalar(margin, -gamma), labelSmoothing)
  }
