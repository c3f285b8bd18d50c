/**
 * CPO: -ln sg(beta (S_w - S_l)), or max(0, 1 - beta (S_w - S_l)); its likelihood term is the pairwise loss's `nllWeight`
 * (TRL's cpo_alpha). arXiv 2401.08417, eq. 3; checked against TRL's CPOTrainer.
 * TRL 1.16.0, `CPOTrainer.cpo_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops } from '../tensor/index.js'
import { hinge, logistic, oneMinus } from './math.js'
import type { PairTerm, Side } from './pairwise.js'

const margin = (better: Side, worse: Side, beta: number) =>
  ops.mulScalar(ops.sub(better.sum, worse.sum), beta)

export const cpoTerm =
  ({ beta, labelSmoothing }: { beta: number; labelSmoothing: number }): PairTerm =>
  (better, worse) =>
    logistic(margin(better, worse, beta), labelSmoothing)

export const cpoHingeTerm =
  ({ beta }: { beta: number }): PairTerm =>
  (better, worse) =>
    hinge(oneMinus(margin(better, worse, beta)))
