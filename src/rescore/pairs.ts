/** Pairs and their weights: which candidates are contrasted, which way round, and how much. */

import type { Preference } from '../data/example.js'
import { sigmoid } from '../statistics/statistics.js'
import type { LabelSource } from './beliefs.js'
import type { RankedPair } from './ranked.js'
import type { NetVotes } from './votes.js'

export interface PairOptions {
  labelSource: LabelSource
  /** `soft`: the expected sign 2q - 1; `hard`: 1. */
  pairWeight: 'soft' | 'hard'
  /** A pair below this belief has weight 0. */
  minConfidence: number
}

/** Whether a belief counts as confident; a belief of 1 - e must reach a `min_confidence` of 1 - e despite rounding. */
export const isConfident = (belief: number, minConfidence: number) => belief >= minConfidence - 1e-12

/** Weight of a pair with belief q >= 1/2; a coin toss (q = 1/2) is never contrasted. */
function pairWeight(q: number, options: PairOptions): number {
  if (q <= 0.5 || !isConfident(q, options.minConfidence)) return 0
  return options.pairWeight === 'soft' ? 2 * q - 1 : 1
}

/** Whether both are of the same two candidates, whichever is called the better one. */
export const samePair = (a: Preference, b: Preference): boolean =>
  (a.better === b.better && a.worse === b.worse) || (a.better === b.worse && a.worse === b.better)

/** Place of each candidate in `order`. */
export function places(order: readonly number[]): number[] {
  const place = new Array<number>(order.length)
  order.forEach((candidate, at) => {
    place[candidate] = at
  })
  return place
}

/**
 * Every unordered pair once, each oriented by its own belief (which need not follow the order). A pair that is left
 * alone stays in the list with weight 0, so that shares can be counted.
 */
export function beliefPairs(
  q: number[][],
  net: NetVotes,
  rewards: readonly number[],
  order: readonly number[],
  options: PairOptions,
): RankedPair[] {
  const place = places(order)
  const pairs: RankedPair[] = []
  for (let i = 0; i < rewards.length; i++) {
    for (let j = i + 1; j < rewards.length; j++) {
      const [better, worse] = q[i][j] >= q[j][i] ? [i, j] : [j, i]
      const belief = q[better][worse]
      const contradicted = options.labelSource === 'agreement' && net[i][j] * (rewards[i] - rewards[j]) < 0
      const weight = contradicted ? 0 : pairWeight(belief, options)
      pairs.push({ better, worse, distance: Math.abs(place[i] - place[j]), belief, weight })
    }
  }
  return pairs
}

/**
 * The paper's pairs: the order alone says which is better, weight 1 where the raw rewards differ by strictly more than
 * `threshold`. `belief` is Bradley-Terry's at temperature 1, for the record only.
 */
export function thresholdPairs(
  rewards: readonly number[],
  order: readonly number[],
  threshold: number,
): RankedPair[] {
  const pairs: RankedPair[] = []
  for (let k = 0; k < order.length; k++) {
    for (let l = k + 1; l < order.length; l++) {
      const gap = Math.abs(rewards[order[k]] - rewards[order[l]])
      const weight = gap > threshold ? 1 : 0
      pairs.push({ better: order[k], worse: order[l], distance: l - k, belief: sigmoid(gap), weight })
    }
  }
  return pairs
}
