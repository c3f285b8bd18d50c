/** Denominators of weighted sums, by group, over everything that shares an optimizer step. */
import type { Denominators, LossList, Scores } from './types.js'

/** Of the SFT term: `tokens` divides by weighted token counts, `lists` by the number of lists, gated or not. */
export type SftReduction = 'tokens' | 'lists'

/** @param counts scored tokens of each candidate of each list */
export function sumDenominators(
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
  sftReduction: SftReduction,
): Denominators {
  const pairs = lists.flatMap((list) => list.pairs.map(({ group, weight }) => [group, weight] as const))
  const sft = lists.map(
    ({ sft: { group, index, weight } }, i) =>
      [group, sftReduction === 'tokens' ? weight * counts[i][index] : 1] as const,
  )
  return { pairs: sumByGroup(pairs), sft: sumByGroup(sft) }
}

/** 1 / denominator, and 0 where nothing is summed: an empty term is 0, never 0 / 0. */
export function share(denominators: ReadonlyMap<number, number>, group: number): number {
  const sum = denominators.get(group) ?? 0
  return sum > 0 ? 1 / sum : 0
}

/** Scored tokens, one row a list. */
export const countsOf = ({ counts, offsets }: Scores): number[][] =>
  offsets.slice(1).map((end, i) => counts.slice(offsets[i], end))

/** Sums by group. */
export function sumByGroup(entries: Iterable<readonly [group: number, amount: number]>): Map<number, number> {
  const sums = new Map<number, number>()
  for (const [group, amount] of entries) sums.set(group, (sums.get(group) ?? 0) + amount)
  return sums
}

/** Weight of a list in losses that sum over its pairs: the mean weight of those that count, so 1 under weights of 0 and 1. */
export function listWeight({ pairs }: LossList): number {
  const weights = pairs.flatMap(({ weight }) => (weight > 0 ? [weight] : []))
  return weights.length > 0 ? weights.reduce((a, b) => a + b, 0) / weights.length : 0
}

/** Denominators of losses that average over lists: the lists' weights in place of the pairs'. */
export function listDenominators(
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
  sftReduction: SftReduction,
): Denominators {
  const { sft } = sumDenominators(lists, counts, sftReduction)
  return { pairs: sumByGroup(lists.map((list) => [list.sft.group, listWeight(list)] as const)), sft }
}
