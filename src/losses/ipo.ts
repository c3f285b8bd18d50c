/**
 * IPO: (h - 1 / (2 beta))^2, arXiv 2310.12036, eq. 17; beta is the paper's tau. h is the gap of the log-ratios averaged over
 * tokens, as TRL's DPOTrainer (`ipo`, checked against it), or of their sums, as the first DPO code.
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import type { PairTerm } from './pairwise.js'

export const ipoTerm =
  ({ beta, over }: { beta: number; over: 'tokens' | 'sums' }): PairTerm =>
  (better, worse) => {
    const gap =
      over === 'tokens'
        ? ops.sub(better.meanRatio(), worse.meanRatio())
        : ops.sub(better.ratio(), worse.ratio())
    return ops.square(ops.addScalar(gap, -1 / (2 * beta)))
  }
