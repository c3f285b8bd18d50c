/** What losses read from scores: means over tokens, and the reference's sums. */
import { type DType, ops, type Tensor } from '../tensor/index.js'
import { fromNumbers } from './from-numbers.js'
import type { Scores } from './types.js'

/** Counts to divide by: an answer without scored tokens has S = 0, and 0 / 0 would reach every gradient. */
export const divisors = (counts: readonly number[], dtype: DType): Tensor =>
  fromNumbers(
    counts.map((c) => Math.max(1, c)),
    dtype,
  )

/** s = S / c, [C] */
export const meanScores = ({ sum, counts }: Scores): Tensor => ops.div(sum, divisors(counts, sum.dtype))

/** S_ref of each candidate. @throws Error where nobody computed it: a defect of the method */
export function referenceOf({ reference }: Scores): readonly number[] {
  if (!reference) throw new Error('this loss needs log-probabilities of a reference model')
  return reference
}
