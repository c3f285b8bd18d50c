/**
 * SLiC-HF: max(0, delta - S_w + S_l) + lambda (-S_w). arXiv 2305.10425, eq. 1, the better answer as its reference answer;
 * checked against an independent formula in f64.
 */
import { ops } from '../tensor/index.js'
import { hinge } from './math.js'
import type { PairTerm } from './pairwise.js'

export const slicTerm =
  ({ delta, lambda }: { delta: number; lambda: number }): PairTerm =>
  (better, worse) => {
    const ranking = hinge(ops.addScalar(ops.sub(worse.sum, better.sum), delta))
    return ops.sub(ranking, ops.mulScalar(better.sum, lambda))
  }
