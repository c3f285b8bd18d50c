/**
 * SimPO: -ln sg(beta (s_w - s_l) - gamma), no reference model. arXiv 2405.14734, eq. 6; checked against TRL's CPOTrainer
 * (`simpo`).
 * TRL 1.16.0, `CPOTrainer.cpo_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import { logistic } from './math.js'
import type { PairTerm } from './pairwise.js'

export interface SimpoOptions {
  beta: number
  gamma: number
  labelSmoothing: number
}

export const simpoTerm =
  ({ beta, gamma, labelSmoothing }: SimpoOptions): PairTerm =>
  (better, worse) => {
    const margin = ops.mulScalar(ops.sub(better.mean(), worse.mean()), beta)
    return logistic(ops.addScalar(margin, -gamma), labelSmoothing)
  }
