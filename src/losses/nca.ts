/**
 * NCA for pairs: -ln sg(r_w) - (ln sg(-r_w) + ln sg(-r_l)) / 2, r = beta D. arXiv 2402.05369; checked against TRL's
 * DPOTrainer (`nca_pair`).
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import { logistic } from './math.js'
import type { PairTerm } from './pairwise.js'

export const ncaTerm =
  ({ beta }: { beta: number }): PairTerm =>
  (better, worse) => {
    const up = ops.mulScalar(better.ratio(), beta)
    const down = ops.add(logistic(ops.neg(up)), logistic(ops.mulScalar(worse.ratio(), -beta)))
    return ops.add(logistic(up), ops.mulScalar(down, 0.5))
  }
