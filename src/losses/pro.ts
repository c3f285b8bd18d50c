/**
 * PRO: each answer against all that are worse, one softmax each, with temperatures from the reward gaps; and the sum of the
 * negative log-likelihood of the best answer times (n - 1)^2. arXiv 2306.17492, eq. 7 to 9; checked against an independent
 * formula in f64, with and without the constant in the denominator that the authors' code has.
 *
 *   L_PRO = sum over k of mean over lists of -ln( e^(s_k t_kk) / (e^(s_k t_kk) + sum over worse i of e^(s_i t_ki)) )
 *
 * t_ki is the gap of the pair, t_kk the largest of them. Pairs of weight 0 are left out of the softmax; the term of k weighs
 * as much as its pairs do on average, and a list as much as all of its pairs do.
 */
import { i64, ops, type Tensor } from '../tensor/index.js'
import { countsOf, listDenominators, share } from './denominators.js'
import { fromNumbers } from './from-numbers.js'
import { gapOf } from './gaps.js'
import { meanScores } from './scores.js'
import { sftTerm } from './sft-term.js'
import type { Denominators, LossList, LossPair, LossParts, Scores } from './types.js'

export interface ProOptions {
  sftWeight: number
  /** Added to the denominator: 1e-10 in the authors' code; nothing here needs such a guard. */
  epsilon: number
}

/** One softmax: candidate indices, the better one first, and their temperatures. */
interface Contest {
  indices: number[]
  temperatures: number[]
  coefficient: number
}

export const proDenominators = (
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
): Denominators => listDenominators(lists, counts, 'lists')

export function proLoss(
  scores: Scores,
  lists: readonly LossList[],
  { sftWeight, epsilon }: ProOptions,
  denominators: Denominators = proDenominators(lists, countsOf(scores)),
): LossParts {
  const contests = lists.flatMap((list, i) => contestsOf(list, scores.offsets[i], denominators))
  const rank =
    contests.length > 0 ? contrast(scores, contests, epsilon) : ops.mulScalar(ops.sum(scores.sum), 0)
  const scale = (i: number) => (scores.offsets[i + 1] - scores.offsets[i] - 1) ** 2
  const sft = sftTerm(scores, lists, denominators, { sftWeight, scale })
  return { total: ops.add(rank, sft), parts: { rank_loss: rank, sft_loss: sft } }
}

function contestsOf({ pairs, sft }: LossList, offset: number, denominators: Denominators): Contest[] {
  const byBetter = new Map<number, LossPair[]>()
  for (const pair of pairs) {
    if (pair.weight === 0) continue
    byBetter.set(pair.better, [...(byBetter.get(pair.better) ?? []), pair])
  }
  return Array.from(byBetter, ([better, against]) => {
    const gaps = against.map(gapOf)
    const weight = against.reduce((sum, p) => sum + p.weight, 0) / against.length
    return {
      indices: [better, ...against.map((p) => p.worse)].map((c) => offset + c),
      temperatures: [Math.max(...gaps), ...gaps],
      coefficient: weight * share(denominators.pairs, sft.group),
    }
  })
}

function contrast(scores: Scores, contests: readonly Contest[], epsilon: number): Tensor {
  const { dtype } = scores.sum
  const guard = epsilon === 0 ? [] : [Math.log(epsilon)]
  const width = Math.max(...contests.map(({ indices }) => indices.length)) + guard.length
  const padded = (of: (c: Contest) => number[], fill: number) =>
    contests.flatMap((c) => {
      const row = of(c)
      return [...row, ...new Array<number>(width - row.length).fill(fill)]
    })
  const shape = [contests.length, width]
  const picked = ops.indexSelect(meanScores(scores), 0, i64(padded((c) => c.indices, 0)))
  const temperatures = padded((c) => c.temperatures, 0)
  // what is added to the denominator stands as a rival of its own: e^ln(epsilon)
  const offsets = padded((c) => [...c.indices.map(() => 0), ...guard], Number.NEGATIVE_INFINITY)
  const heated = ops.add(ops.mul(picked, fromNumbers(temperatures, dtype)), fromNumbers(offsets, dtype))
  const logits = ops.reshape(heated, shape) // [K, width]
  const logp = ops.select(ops.logSoftmax(logits, 1), 1, 0) // [K]
  const coefficients = fromNumbers(
    contests.map((c) => c.coefficient),
    dtype,
  )
  return ops.neg(ops.sum(ops.mul(logp, coefficients)))
}
