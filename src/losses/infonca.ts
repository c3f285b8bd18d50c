/**
 * InfoNCA and NCA: a list's rewards as soft labels of all of its answers, arXiv 2402.05369. With x_i = beta D_i and
 * p = softmax(scaled rewards):
 *
 *   InfoNCA = -sum over i of p_i ln softmax(x)_i
 *   NCA     = -sum over i of p_i ln sg(x_i) - mean over i of ln sg(-x_i)
 *
 * averaged over lists, each with the mean weight of its pairs. Rewards are told by the gaps of the pairs: the mean of an answer's
 * log-odds over its list, which is its reward where the order comes from rewards. Checked against an independent formula in f64.
 */
import { i64, ops, type Tensor } from '../tensor/index.js'
import { countsOf, listDenominators, listWeight, share } from './denominators.js'
import { fromNumbers } from './from-numbers.js'
import { gapOf } from './gaps.js'
import { logistic } from './math.js'
import { referenceOf } from './scores.js'
import { sftTerm } from './sft-term.js'
import type { Denominators, LossList, LossParts, Scores } from './types.js'

export interface InfoNcaOptions {
  beta: number
  /** 1 / alpha of the paper: what rewards, as log-odds, are multiplied by. */
  gapScale: number
  kind: 'infonca' | 'nca'
  sftWeight: number
}

/** One list: its answers, how good each is said to be (sum 1), and what it counts. */
interface Ranked {
  from: number
  target: number[]
  coefficient: number
}

export const infoNcaDenominators = (
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
): Denominators => listDenominators(lists, counts, 'tokens')

export function infoNcaLoss(
  scores: Scores,
  lists: readonly LossList[],
  { beta, gapScale, kind, sftWeight }: InfoNcaOptions,
  denominators: Denominators = infoNcaDenominators(lists, countsOf(scores)),
): LossParts {
  const ranked = lists.flatMap((list, i): Ranked[] => {
    const coefficient = listWeight(list) * share(denominators.pairs, list.sft.group)
    if (coefficient === 0) return []
    const from = scores.offsets[i]
    return [{ from, target: targets(list, scores.offsets[i + 1] - from, gapScale), coefficient }]
  })
  const ratio = ops.sub(scores.sum, fromNumbers(referenceOf(scores), scores.sum.dtype)) // D, [C]
  const x = ops.mulScalar(ratio, beta)
  const rank =
    ranked.length === 0
      ? ops.mulScalar(ops.sum(scores.sum), 0)
      : kind === 'nca'
        ? apart(x, ranked)
        : together(x, ranked)
  if (sftWeight === 0) return { total: rank, parts: {} }
  const sft = sftTerm(scores, lists, denominators, { sftWeight })
  return { total: ops.add(rank, sft), parts: { rank_loss: rank, sft_loss: sft } }
}

/** softmax of the answers' scaled rewards. */
function targets({ pairs }: LossList, n: number, scale: number): number[] {
  const reward = new Array<number>(n).fill(0)
  for (const pair of pairs) {
    reward[pair.better] += gapOf(pair) / n
    reward[pair.worse] -= gapOf(pair) / n
  }
  const most = Math.max(...reward)
  const raised = reward.map((r) => Math.exp(scale * (r - most)))
  const sum = raised.reduce((a, b) => a + b, 0)
  return raised.map((r) => r / sum)
}

/** A number for each answer of the lists, list by list. */
const flat = (ranked: readonly Ranked[], of: (list: Ranked, k: number) => number): number[] =>
  ranked.flatMap((list) => list.target.map((_, k) => of(list, k)))

function apart(x: Tensor, ranked: readonly Ranked[]): Tensor {
  const picked = ops.indexSelect(x, 0, i64(flat(ranked, ({ from }, k) => from + k)))
  const weighted = (values: Tensor, of: (list: Ranked, k: number) => number) =>
    ops.sum(ops.mul(values, fromNumbers(flat(ranked, of), x.dtype)))
  const up = weighted(logistic(picked), ({ target, coefficient }, k) => coefficient * target[k])
  const down = weighted(logistic(ops.neg(picked)), ({ target, coefficient }) => coefficient / target.length)
  return ops.add(up, down)
}

/** ln sum e^x - sum p x, for each list; the first is read from the softmax of rows that are padded with -infinity. */
function together(x: Tensor, ranked: readonly Ranked[]): Tensor {
  const width = Math.max(...ranked.map(({ target }) => target.length))
  const padded = (of: (list: Ranked, k: number) => number, fill: number) =>
    ranked.flatMap((list) =>
      Array.from({ length: width }, (_, k) => (k < list.target.length ? of(list, k) : fill)),
    )
  const rows = ops.indexSelect(x, 0, i64(padded(({ from }, k) => from + k, 0)))
  const open = fromNumbers(
    padded(() => 0, Number.NEGATIVE_INFINITY),
    x.dtype,
  )
  const logp = ops.logSoftmax(ops.reshape(ops.add(rows, open), [ranked.length, width]), 1)
  const first = ops.indexSelect(x, 0, i64(ranked.map(({ from }) => from)))
  const logSum = ops.sub(first, ops.select(logp, 1, 0))
  const coefficients = ranked.map(({ coefficient }) => coefficient)
  const targets = padded(({ target, coefficient }, k) => coefficient * target[k], 0)
  return ops.sub(
    ops.sum(ops.mul(logSum, fromNumbers(coefficients, x.dtype))),
    ops.sum(ops.mul(rows, fromNumbers(targets, x.dtype))),
  )
}
