/**
 * Hinge on DPO's margin: max(0, 1 - beta (D_w - D_l)). "Hinge-norm" of arXiv 2309.06657; checked against TRL's DPOTrainer
 * (`hinge`).
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { type DpoOptions, rewardMargin } from './dpo.js'
import { hinge, oneMinus } from './math.js'
import type { PairTerm } from './pairwise.js'

export const dpoHingeTerm =
  ({ beta, divergence }: Omit<DpoOptions, 'labelSmoothing'>): PairTerm =>
  (better, worse) =>
    hinge(oneMinus(rewardMargin(better, worse, beta, divergence)))
