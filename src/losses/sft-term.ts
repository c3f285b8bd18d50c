/** The SFT term that any loss can carry: the answer that each list names is kept likely, as much as its gate says. */
import { i64, ops, type Tensor } from '../tensor/index.js'
import { share } from './denominators.js'
import { fromNumbers } from './from-numbers.js'
import type { Denominators, LossList, Scores } from './types.js'

export interface SftTermOptions {
  sftWeight: number
  /** Number of groups that the step averages over: 1, but for CLHA's `legacy`. */
  groups?: number
  /** Factor of each list; 1 when left out. */
  scale?(list: number): number
}

/**
 * sftWeight * sum over lists of a * scale * (-S_k) / denominator: arXiv 2403.16649, section 3.
 * @returns a scalar, in nats
 */
export function sftTerm(
  scores: Scores,
  lists: readonly LossList[],
  denominators: Denominators,
  { sftWeight, groups = 1, scale }: SftTermOptions,
): Tensor {
  const index = lists.map((list, i) => scores.offsets[i] + list.sft.index)
  const coefficients = lists.map(({ sft }, i) => {
    const coefficient = (-sftWeight * sft.weight * share(denominators.sft, sft.group)) / groups
    return scale ? coefficient * scale(i) : coefficient
  })
  return ops.sum(
    ops.mul(ops.indexSelect(scores.sum, 0, i64(index)), fromNumbers(coefficients, scores.sum.dtype)),
  )
}
