/** What losses on answers judged by themselves share: L = sum over rows of w * l(row) / sum of w, and the SFT term. */
import { i64, ops, type Tensor } from '../tensor/index.js'
import { countsOf, share, sumByGroup, sumDenominators } from './denominators.js'
import { fromNumbers } from './from-numbers.js'
import { referenceOf } from './scores.js'
import { sftTerm } from './sft-term.js'
import type { Denominators, LossList, LossParts, LossRow, Scores, StepFacts } from './types.js'

/** Loss of each row, [R], from its log-ratio D and its sign: 1 desirable, -1 undesirable. */
export type RowTerm = (ratio: Tensor, sign: Tensor, facts?: StepFacts) => Tensor

export interface UnpairedOptions {
  term: RowTerm
  /** Factors of the losses of desirable and undesirable answers; the denominator does not contain them, as in TRL. */
  desirableWeight: number
  undesirableWeight: number
  sftWeight: number
}

const rowsOf = ({ rows = [] }: LossList): LossRow[] => rows.filter(({ weight }) => weight !== 0)

export function unpairedDenominators(
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
): Denominators {
  const rows = lists.flatMap((list) => rowsOf(list).map((row) => [row.group, row.weight] as const))
  return { ...sumDenominators(lists, counts, 'tokens'), rows: sumByGroup(rows) }
}

export function unpairedLoss(
  scores: Scores,
  lists: readonly LossList[],
  options: UnpairedOptions,
  denominators: Denominators = unpairedDenominators(lists, countsOf(scores)),
): LossParts {
  const { dtype } = scores.sum
  const reference = referenceOf(scores)
  const at = lists.flatMap((list, i) =>
    rowsOf(list).map((row) => ({ row, index: scores.offsets[i] + row.index })),
  )
  const sum = ops.indexSelect(scores.sum, 0, i64(at.map(({ index }) => index)))
  const numbers = (of: (entry: (typeof at)[0]) => number) => fromNumbers(at.map(of), dtype)
  const ratio = ops.sub(
    sum,
    numbers(({ index }) => reference[index]),
  )
  const sign = numbers(({ row }) => (row.desirable ? 1 : -1))
  const coefficients = numbers(({ row }) => {
    const factor = row.desirable ? options.desirableWeight : options.undesirableWeight
    return factor * row.weight * share(denominators.rows ?? new Map(), row.group)
  })
  const judged = ops.sum(ops.mul(options.term(ratio, sign, denominators.facts), coefficients))
  if (options.sftWeight === 0) return { total: judged, parts: {} }
  const sft = sftTerm(scores, lists, denominators, { sftWeight: options.sftWeight })
  return { total: ops.add(judged, sft), parts: { rank_loss: judged, sft_loss: sft } }
}
