/**
 * DPO: -ln sg(beta (D_w - D_l)), arXiv 2305.18290; with label smoothing e it is cDPO, (1 - e) l(w, l) + e l(l, w). The
 * divergence from the reference may be another than the reverse KL (f-DPO). Checked against TRL's DPOTrainer
 * (`sigmoid`).
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops, type Tensor } from '../tensor/index.js'
import { type Divergence, divergenceScore } from './f-divergence.js'
import { logistic } from './math.js'
import type { PairTerm, Side } from './pairwise.js'

export interface DpoOptions {
  beta: number
  labelSmoothing: number
  divergence?: Divergence
}

/** beta (f'(u_w) - f'(u_l)), u = exp D: what DPO and its kin put into a loss. */
export function rewardMargin(better: Side, worse: Side, beta: number, divergence?: Divergence): Tensor {
  const score = (side: Side) => divergenceScore(side.ratio(), divergence)
  return ops.mulScalar(ops.sub(score(better), score(worse)), beta)
}

export const dpoTerm =
  ({ beta, labelSmoothing, divergence }: DpoOptions): PairTerm =>
  (better, worse) =>
    logistic(rewardMargin(better, worse, beta, divergence), labelSmoothing)
