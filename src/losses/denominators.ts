/** Denominators of weighted sums, by group, over everything that shares an optimizer step. */
import type { Denominators, LossList } from './types.js'

/** Of the SFT term: `tokens` divides by weighted token counts, `lists` by the number of lists, gated or not. */
export type SftReduction = 'tokens' | 'lists'

/** @param counts scored tokens of each candidate of each list */
export function sumDenominators(
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
  sftReduction: SftReduction,
): Denominators {
  const pairs = new Map<number, number>()
  const sft = new Map<number, number>()
  lists.forEach((list, i) => {
    for (const { group, weight } of list.pairs) pairs.set(group, (pairs.get(group) ?? 0) + weight)
    const { group, index, weight } = list.sft
    sft.set(group, (sft.get(group) ?? 0) + (sftReduction === 'tokens' ? weight * counts[i][index] : 1))
  })
  return { pairs, sft }
}

/** 1 / denominator, and 0 where nothing is summed: an empty term is 0, never 0 / 0. */
export function share(denominators: ReadonlyMap<number, number>, group: number): number {
  const sum = denominators.get(group) ?? 0
  return sum > 0 ? 1 / sum : 0
}
