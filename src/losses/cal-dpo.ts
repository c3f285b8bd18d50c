/**
 * Cal-DPO: -ln sg(D_w - D_l) + ((D_w - 1 / (2 b))^2 + (D_l + 1 / (2 b))^2) / 2. arXiv 2412.14516; the squares stop the better
 * answer from sinking. The logistic term carries no b, as in the authors' code.
 */
import { ops } from '../tensor/index.js'
import { logistic } from './math.js'
import type { PairTerm } from './pairwise.js'
import { sppoTerm } from './sppo.js'

export const calDpoTerm = ({ beta }: { beta: number }): PairTerm => {
  const squares = sppoTerm({ beta })
  return (better, worse, context) =>
    ops.add(
      logistic(ops.sub(better.ratio(), worse.ratio())),
      ops.mulScalar(squares(better, worse, context), 0.5),
    )
}
