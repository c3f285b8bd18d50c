/** One system's rewards against another's, prompt by prompt: wins, ties, differences. */
import { winOf } from '../statistics/agreement.js'
import type { MeanEstimate, Measured } from '../statistics/estimate.js'
import { groupBy } from '../statistics/group-by.js'
import {
  type BootstrapOptions,
  bootstrapDifference,
  bootstrapMean,
  cautiousRate,
} from '../statistics/intervals.js'
import { middleRanks, orNull, pearson } from '../statistics/statistics.js'

export interface CompareOptions extends BootstrapOptions {
  /** Rewards this close are a tie; `TIE` when left out. */
  tie?: number
}

export interface Comparison {
  count: number
  win: number
  tie: number
  loss: number
  /** Share of wins, ties as one half; its interval is that of Wilson where fewer than five prompts were won, or lost. */
  winRate: Measured
  /** Mean reward difference, in the reward's unit. */
  difference: MeanEstimate
}

/** Rewards this close are a tie: the noise of float32. */
export const TIE = 1e-6

/** Wins, ties and losses of `rewards` against `baseline`, prompt by prompt. @throws RangeError of unequal or no data */
export function compare(
  rewards: readonly number[],
  baseline: readonly number[],
  options: CompareOptions = {},
): Comparison {
  const difference = bootstrapDifference(rewards, baseline, options)
  const { tie = TIE } = options
  const results = rewards.map((r, i) => winOf(r - baseline[i], tie))
  const count = (result: number) => results.filter((x) => x === result).length
  const [win, loss] = [count(1), count(0)]
  const rate = bootstrapMean(results, options)
  const seen = { value: rate.value, prompts: results.length, won: win, lost: loss }
  return {
    count: results.length,
    win,
    tie: count(0.5),
    loss,
    winRate: { ...rate, interval: cautiousRate(rate.interval ?? [1, 0], seen) },
    difference,
  }
}

/** Where each source's prompts stand, in the order in which sources first appear. */
export const indicesBySource = (sources: readonly string[]): Map<string, number[]> =>
  groupBy(sources.keys(), (i) => sources[i])

/** How alike two scorers are on the same answers; null where either does not vary. */
export interface ScorerAgreement {
  count: number
  pearson: number | null
  /** Of ranks, ties at their middle. */
  spearman: number | null
}

/** @throws RangeError when the scorers scored different numbers of answers */
export function scorerAgreement(a: readonly number[], b: readonly number[]): ScorerAgreement {
  if (a.length !== b.length) throw new RangeError(`scorerAgreement: ${a.length} scores against ${b.length}`)
  return {
    count: a.length,
    pearson: orNull(pearson(a, b)),
    spearman: orNull(pearson(middleRanks(a), middleRanks(b))),
  }
}
