/**
 * KTO, arXiv 2402.01306, eq. 8: 1 - sg(beta (D - z)) for desirable answers, 1 - sg(beta (z - D)) for undesirable ones. z is
 * the mean log-ratio of mismatched answers over the step, at least 0, without gradient. APO-zero, unpaired, is z = 0.
 * Checked against TRL's KTOTrainer.
 * TRL 1.16.0, `KTOTrainer._compute_loss`; recorded in test/fixtures/losses/kto.json.
 */
import { ops } from '../tensor/index.js'
import { oneMinus } from './math.js'
import type { StepFacts } from './types.js'
import type { RowTerm } from './unpaired.js'

/** @param ratios log-ratios D of answers to other prompts, of the whole step */
export function ktoFacts(ratios: readonly number[]): StepFacts {
  const mean = ratios.reduce((a, b) => a + b, 0) / Math.max(1, ratios.length)
  const kl = Math.max(0, mean)
  return { shift: kl, metrics: { kl } }
}

export const ktoTerm =
  ({ beta }: { beta: number }): RowTerm =>
  (ratio, sign, facts) => {
    const shifted = ops.addScalar(ratio, -(facts?.shift ?? 0))
    return oneMinus(ops.sigmoid(ops.mulScalar(ops.mul(sign, shifted), beta)))
  }
