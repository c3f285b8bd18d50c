/**
 * Reward-aware preference optimisation, arXiv 2502.00203: the policy's margin x = beta (D_w - D_l) is held against the
 * reward's gap g, both as log-odds. `rpo_sq`: (x - g)^2. `rpo_bwd_kl`: KL(sg(g) || sg(x)). `rpo_fwd_kl`: KL(sg(x) || sg(g)).
 * Which answer is called the better one does not matter. Checked against an independent formula in f64.
 */
import { logSigmoid, sigmoid } from '../statistics/statistics.js'
import { ops, type Tensor } from '../tensor/index.js'
import { rewardMargin } from './dpo.js'
import { fromNumbers } from './from-numbers.js'
import { type GapOptions, scaledGaps } from './gaps.js'
import type { PairTerm } from './pairwise.js'

export const rpoSqTerm =
  ({ beta, gapScale }: GapOptions): PairTerm =>
  (better, worse, { pairs }) => {
    const margin = rewardMargin(better, worse, beta)
    return ops.square(ops.sub(margin, fromNumbers(scaledGaps(pairs, gapScale), margin.dtype)))
  }

/** ln sg(x) and ln sg(-x) beside what the reward says of both sides. */
function sides(margin: Tensor, gaps: readonly number[]) {
  const numbers = (of: (gap: number) => number) => fromNumbers(gaps.map(of), margin.dtype)
  const side = (sign: 1 | -1) => ({
    logPolicy: ops.logSigmoid(sign === 1 ? margin : ops.neg(margin)),
    reward: numbers((g) => sigmoid(sign * g)),
    logReward: numbers((g) => logSigmoid(sign * g)),
  })
  return [side(1), side(-1)]
}

export const rpoBwdKlTerm =
  ({ beta, gapScale }: GapOptions): PairTerm =>
  (better, worse, { pairs }) => {
    const [up, down] = sides(rewardMargin(better, worse, beta), scaledGaps(pairs, gapScale)).map(
      ({ logPolicy, reward, logReward }) => ops.mul(reward, ops.sub(logReward, logPolicy)),
    )
    return ops.add(up, down)
  }

export const rpoFwdKlTerm =
  ({ beta, gapScale }: GapOptions): PairTerm =>
  (better, worse, { pairs }) => {
    const [up, down] = sides(rewardMargin(better, worse, beta), scaledGaps(pairs, gapScale)).map(
      ({ logPolicy, logReward }) => ops.mul(ops.exp(logPolicy), ops.sub(logPolicy, logReward)),
    )
    return ops.add(up, down)
  }
