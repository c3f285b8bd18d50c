/**
 * RRHF: per list, the sum over pairs of max(0, s_worse - s_better), and the negative log-likelihood of the best answer; both
 * averaged over lists. arXiv 2304.05302, eq. 2 to 4; checked against an independent formula in f64. With weights, a list
 * counts as much as its pairs do on average.
 */
import { i64, ops } from '../tensor/index.js'
import { countsOf, listDenominators, share } from './denominators.js'
import { fromNumbers } from './from-numbers.js'
import { hinge } from './math.js'
import { meanScores } from './scores.js'
import { sftTerm } from './sft-term.js'
import type { Denominators, LossList, LossParts, Scores } from './types.js'

export interface RrhfOptions {
  rankWeight: number
  sftWeight: number
  /** Of the likelihood term: over the answer's tokens, `sum` as the paper, `mean` close to the authors' code. */
  nll: 'sum' | 'mean'
}

export const rrhfDenominators = (
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
): Denominators => listDenominators(lists, counts, 'lists')

export function rrhfLoss(
  scores: Scores,
  lists: readonly LossList[],
  options: RrhfOptions,
  denominators: Denominators = rrhfDenominators(lists, countsOf(scores)),
): LossParts {
  const { dtype } = scores.sum
  const pairs = lists.flatMap(({ pairs, sft }, i) =>
    pairs
      .filter(({ weight }) => weight !== 0)
      .map((p) => ({
        better: scores.offsets[i] + p.better,
        worse: scores.offsets[i] + p.worse,
        coefficient: options.rankWeight * p.weight * share(denominators.pairs, sft.group),
      })),
  )
  const mean = meanScores(scores) // [C]
  const at = (index: number[]) => ops.indexSelect(mean, 0, i64(index))
  const gap = ops.sub(at(pairs.map((p) => p.worse)), at(pairs.map((p) => p.better))) // [P]
  const coefficients = fromNumbers(
    pairs.map((p) => p.coefficient),
    dtype,
  )
  const rank = ops.sum(ops.mul(hinge(gap), coefficients))
  const perToken = (i: number) => 1 / Math.max(1, scores.counts[scores.offsets[i] + lists[i].sft.index])
  const scale = options.nll === 'mean' ? perToken : undefined
  const sft = sftTerm(scores, lists, denominators, { sftWeight: options.sftWeight, scale })
  return { total: ops.add(rank, sft), parts: { rank_loss: rank, sft_loss: sft } }
}
