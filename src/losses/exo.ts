/**
 * EXO for pairs: the reverse KL of the policy's preference q = sg(beta (D_w - D_l)) from the label's 1 - e.
 * arXiv 2402.00856, eq. 16; checked against TRL's DPOTrainer (`exo_pair`).
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import { type DpoOptions, rewardMargin } from './dpo.js'
import type { PairTerm } from './pairwise.js'

/** The label is never certain, or the divergence would be infinite. */
const LEAST_SMOOTHING = 1e-3

export const exoTerm =
  ({ beta, labelSmoothing, divergence }: DpoOptions): PairTerm =>
  (better, worse) => {
    const e = Math.max(labelSmoothing, LEAST_SMOOTHING)
    const margin = rewardMargin(better, worse, beta, divergence)
    const side = (sign: 1 | -1, label: number) => {
      const x = sign === 1 ? margin : ops.neg(margin)
      return ops.mul(ops.sigmoid(x), ops.addScalar(ops.logSigmoid(x), -Math.log(label)))
    }
    return ops.add(side(1, 1 - e), side(-1, e))
  }
