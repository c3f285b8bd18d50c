/**
 * APO, arXiv 2408.06266. Zero: 1 - sg(beta D_w) + sg(beta D_l), for a policy worse than the answers. Down:
 * sg(beta D_w) + 1 - sg(beta (D_w - D_l)), for one that is better. Checked against TRL's DPOTrainer.
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops, type Tensor } from '../tensor/index.js'
import { oneMinus } from './math.js'
import type { PairTerm } from './pairwise.js'

const squash = (x: Tensor, beta: number) => ops.sigmoid(ops.mulScalar(x, beta))

export const apoZeroTerm =
  ({ beta }: { beta: number }): PairTerm =>
  (better, worse) =>
    ops.add(oneMinus(squash(better.ratio(), beta)), squash(worse.ratio(), beta))

export const apoDownTerm =
  ({ beta }: { beta: number }): PairTerm =>
  (better, worse) => {
    const ratio = better.ratio()
    return ops.add(squash(ratio, beta), oneMinus(squash(ops.sub(ratio, worse.ratio()), beta)))
  }
