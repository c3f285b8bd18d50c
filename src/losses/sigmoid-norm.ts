/** DPO on log-ratios averaged over tokens: -ln sg(beta (D_w / c_w - D_l / c_l)). Checked against TRL's DPOTrainer (`sigmoid_norm`). */
import { ops } from '../tensor/index.js'
import { logistic } from './math.js'
import type { PairTerm } from './pairwise.js'

export const sigmoidNormTerm =
  ({ beta }: { beta: number }): PairTerm =>
  (better, worse) =>
    logistic(ops.mulScalar(ops.sub(better.meanRatio(), worse.meanRatio()), beta))
