/**
 * ROPO: 4 a / (1 + a)^2 (-ln sg(x)) + 4 a^2 / (1 + a)^2 sg(-x), x = beta (D_w - D_l). arXiv 2404.04102: the second term is
 * bounded, so a pair that the policy holds for reversed stops pulling. Its filter of the pairs with the highest loss is not
 * computed. Checked against an independent formula in f64.
 */
import { ops } from '../tensor/index.js'
import { rewardMargin } from './dpo.js'
import { logistic } from './math.js'
import type { PairTerm } from './pairwise.js'

/** @param alpha above 0; the larger, the more the bounded term counts */
export const ropoTerm =
  ({ beta, alpha }: { beta: number; alpha: number }): PairTerm =>
  (better, worse) => {
    const margin = rewardMargin(better, worse, beta)
    const factor = (4 * alpha) / (1 + alpha) ** 2
    const bounded = ops.mulScalar(ops.sigmoid(ops.neg(margin)), factor * alpha)
    return ops.add(ops.mulScalar(logistic(margin), factor), bounded)
  }
