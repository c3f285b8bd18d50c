/**
 * SimPO: -ln sg(beta (s_w - s_l) - gamma), no reference model. arXiv 2405.14734, eq. 6; checked against TRL's CPOTrainer
 * (`simpo`).
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
