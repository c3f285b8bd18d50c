/**
 * ORPO's odds-ratio term: -beta ln sg(o_w - o_l), o = s - ln(1 - e^s); its likelihood term is the pairwise loss's
 * `nllWeight` (1). arXiv 2403.07691, eq. 6 and 7 (their lambda is beta here, as in TRL); checked against TRL's ORPOTrainer.
 * TRL 1.16.0, `ORPOTrainer.odds_ratio_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops, type Tensor } from '../tensor/index.js'
import { logistic, oneMinus } from './math.js'
import type { PairTerm } from './pairwise.js'

/** Log-odds of e^s. A probability of 1 has infinite odds: s is held just below 0, the least that 1 - e^s resolves. */
function logOdds(s: Tensor): Tensor {
  const below = ops.clampMax(s, s.dtype === 'f64' ? -1e-12 : -1e-5)
  return ops.sub(below, ops.log(oneMinus(ops.exp(below))))
}

export const orpoTerm =
  ({ beta }: { beta: number }): PairTerm =>
  (better, worse) =>
    ops.mulScalar(logistic(ops.sub(logOdds(better.mean()), logOdds(worse.mean()))), beta)
