/**
 * SPPO with hard labels: (D_w - 1 / (2 beta))^2 + (D_l + 1 / (2 beta))^2. arXiv 2405.00675; checked against TRL's DPOTrainer
 * (`sppo_hard`).
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import type { PairTerm } from './pairwise.js'

export const sppoTerm =
  ({ beta }: { beta: number }): PairTerm =>
  (better, worse) =>
    ops.add(
      ops.square(ops.addScalar(better.ratio(), -0.5 / beta)),
      ops.square(ops.addScalar(worse.ratio(), 0.5 / beta)),
    )
