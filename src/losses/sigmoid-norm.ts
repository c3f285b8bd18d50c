/**
 * DPO on log-ratios averaged over tokens: -ln sg(beta (D_w / c_w - D_l / c_l)). Checked against TRL's DPOTrainer (`sigmoid_norm`).
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import { logistic } from './math.js'
import type { PairTerm } from './pairwise.js'

export const sigmoidNormTerm =
  ({ beta }: { beta: number }): PairTerm =>
  (better, worse) =>
    logistic(ops.mulScalar(ops.sub(better.meanRatio(), worse.meanRatio()), beta))
