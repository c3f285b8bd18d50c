/**
 * DiscoPOP's log-ratio-modulated loss: with x = beta (D_w - D_l) and m = sg(x / tau), (1 - m) (-ln sg(x)) + m e^-x.
 * arXiv 2406.08414; checked against TRL's DPOTrainer (`discopop`).
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import { rewardMargin } from './dpo.js'
import { boundedExp, logistic, oneMinus } from './math.js'
import type { PairTerm } from './pairwise.js'

export const discopopTerm =
  ({ beta, tau }: { beta: number; tau: number }): PairTerm =>
  (better, worse) => {
    const x = rewardMargin(better, worse, beta)
    const scaled = ops.mulScalar(x, 1 / tau)
    // m e^-x as one exponential: apart, a very negative x makes it 0 times infinity
    const exponential = boundedExp(ops.sub(ops.logSigmoid(scaled), x))
    return ops.add(ops.mul(oneMinus(ops.sigmoid(scaled)), logistic(x)), exponential)
  }
