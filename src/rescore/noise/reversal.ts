/** How far labels may be reversed: as many as are believed wrong, but at no possible loss worth the name. */
import { majorityBelief, type Scale, type UncertainScale } from '../beliefs.js'
import type { Witnessed } from './annotators.js'

/** Pairs that one scorer scored, with what is believed on average and the scales that are not ruled out at 99.9 %. */
export interface ReversalPart {
  pairs: readonly Witnessed[]
  average: UncertainScale
  possible: readonly Scale[]
}

/**
 * A label is reversed where it is believed less than this on average. 1/2 is what gains most on average; it is lower
 * where otherwise, under a possible scale, more than `cap` of all labels would be lost in expectation: the sum of
 * 2q - 1 over the reversed ones.
 */
export function reversalLimit(parts: readonly ReversalPart[], cap: number): number {
  const rows: { belief: number; right: number[] }[] = []
  let labels = 0
  for (const { pairs, average, possible } of parts) {
    for (const { gap, votes } of pairs) {
      if (votes.up === votes.down) continue
      labels++
      const belief = majorityBelief(gap, votes, average)
      if (belief < 0.5)
        rows.push({ belief, right: possible.map((scale) => majorityBelief(gap, votes, scale)) })
    }
  }
  rows.sort((a, b) => a.belief - b.belief)
  const lost = new Array<number>(rows[0]?.right.length ?? 0).fill(0)
  let limit = rows.length === 0 ? 0.5 : rows[0].belief
  for (const [i, { right }] of rows.entries()) {
    for (const [k, q] of right.entries()) lost[k] += 2 * q - 1
    if (Math.max(...lost) <= cap * labels + 1e-9) limit = rows[i + 1]?.belief ?? 0.5
  }
  return limit
}
