/** Shares of comparisons that came out one way; ties count one half. */
import type { Interval } from './estimate.js'
import { wilson } from './intervals.js'

/** What a comparison counts: 1 where `gap` is above 0, 0 where it is below, one half for a tie (at most `tie` from 0). */
export const winOf = (gap: number, tie = 0): number => (Math.abs(gap) <= tie ? 0.5 : gap > 0 ? 1 : 0)

export interface Proportion {
  count: number
  total: number
  /** null when there is nothing to count. */
  share: number | null
  /** 95 % Wilson interval. */
  interval: Interval
}

/** @param count may hold halves for ties */
export const proportion = (count: number, total: number): Proportion => ({
  count,
  total,
  share: total > 0 ? count / total : null,
  interval: wilson(count, total),
})

/** The labels of some lists whose better answer has the higher reward. `rewards` hold one number an answer, list by list. */
export function labelAgreement(
  labels: readonly (readonly { better: number; worse: number }[])[],
  rewards: readonly ArrayLike<number>[],
): Proportion {
  let right = 0
  let total = 0
  for (const [i, list] of labels.entries()) {
    for (const { better, worse } of list) right += winOf(rewards[i][better] - rewards[i][worse])
    total += list.length
  }
  return proportion(right, total)
}
