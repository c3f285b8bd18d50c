/**
 * DPO with margins from rewards. MMPO, arXiv 2410.03145: the label is soft, -p ln sg(x) - (1 - p) ln sg(-x) with p = sg(g).
 * ODPO, arXiv 2402.10571: the margin has to be reached, -ln sg(x - g). x = beta (D_w - D_l), g the scaled gap of the rewards.
 * Checked against an independent formula in f64.
 */
import { sigmoid } from '../statistics/statistics.js'
import { ops } from '../tensor/index.js'
import { rewardMargin } from './dpo.js'
import { fromNumbers } from './from-numbers.js'
import { type GapOptions, scaledGaps } from './gaps.js'
import { logistic } from './math.js'
import type { PairTerm } from './pairwise.js'

export const mmpoTerm =
  ({ beta, gapScale }: GapOptions): PairTerm =>
  (better, worse, { pairs }) => {
    const margin = rewardMargin(better, worse, beta)
    const gaps = scaledGaps(pairs, gapScale)
    const side = (sign: 1 | -1) =>
      ops.mul(
        fromNumbers(
          gaps.map((g) => sigmoid(sign * g)),
          margin.dtype,
        ),
        logistic(sign === 1 ? margin : ops.neg(margin)),
      )
    return ops.add(side(1), side(-1))
  }

export const odpoTerm =
  ({ beta, gapScale }: GapOptions): PairTerm =>
  (better, worse, { pairs }) => {
    const margin = rewardMargin(better, worse, beta)
    return logistic(ops.sub(margin, fromNumbers(scaledGaps(pairs, gapScale), margin.dtype)))
  }
