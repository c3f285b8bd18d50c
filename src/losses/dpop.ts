/**
 * DPOP: -ln sg(beta (D_w - D_l - lambda max(0, -D_w))), so that the better answer does not sink below the reference.
 * arXiv 2402.13228, eq. 3; checked against an independent formula in f64.
 */
import { ops } from '../tensor/index.js'
import { hinge, logistic } from './math.js'
import type { PairTerm } from './pairwise.js'

export const dpopTerm =
  ({ beta, lambda }: { beta: number; lambda: number }): PairTerm =>
  (better, worse) => {
    const ratio = better.ratio()
    const sunk = ops.mulScalar(hinge(ops.neg(ratio)), lambda)
    return logistic(ops.mulScalar(ops.sub(ops.sub(ratio, worse.ratio()), sunk), beta))
  }
