/**
 * Robust DPO: [(1 - e) l(w, l) - e l(l, w)] / (1 - 2 e), unbiased where a share e of the labels is reversed.
 * arXiv 2403.00409; checked against TRL's DPOTrainer (`robust`).
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import { type DpoOptions, rewardMargin } from './dpo.js'
import type { PairTerm } from './pairwise.js'

export const robustTerm =
  ({ beta, labelSmoothing: e, divergence }: DpoOptions): PairTerm =>
  (better, worse) => {
    const margin = rewardMargin(better, worse, beta, divergence)
    const right = ops.mulScalar(ops.logSigmoid(margin), (e - 1) / (1 - 2 * e))
    const flipped = ops.mulScalar(ops.logSigmoid(ops.neg(margin)), e / (1 - 2 * e))
    return ops.add(right, flipped)
  }
