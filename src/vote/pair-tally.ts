/** Which two of several answers are asked next: those about whose systems another vote tells most. */
import { hashUnit } from '../random.js'
import { scoreOf } from '../verdicts/standing.js'
import type { Outcome } from '../verdicts/types.js'

/** Votes on pairs of systems so far. */
export interface PairTally {
  add(systems: readonly [string, string], verdict: Outcome, times?: 1 | -1): void
  /** How much the next vote narrows what is known of a pair: sqrt(p(1-p)/(n+1)) less the same for n + 1. */
  gain(systems: readonly [string, string]): number
}

export function createPairTally(): PairTally {
  const counts = new Map<string, { votes: number; score: number }>()
  const of = (systems: readonly [string, string]) => {
    const sorted = systems[0] <= systems[1]
    const key = JSON.stringify(sorted ? systems : systems.toReversed())
    const found = counts.get(key) ?? { votes: 0, score: 0 }
    counts.set(key, found)
    return { found, sorted }
  }
  return {
    add(systems, verdict, times = 1) {
      const { found, sorted } = of(systems)
      found.votes += times
      found.score += times * (sorted ? scoreOf(verdict) : 1 - scoreOf(verdict))
    },
    gain(systems) {
      const { votes, score } = of(systems).found
      // One imagined vote for each side: a pair that was never asked is as open as can be.
      const p = (score + 1) / (votes + 2)
      const spread = Math.sqrt(p * (1 - p))
      return spread / Math.sqrt(votes + 1) - spread / Math.sqrt(votes + 2)
    },
  }
}

/**
 * @param candidates pairs of one item
 * @param waiting votes on a pair that were handed out and did not come back yet count as given
 * @param seed decides between equals
 */
export function mostTelling<P extends { systems: readonly [string, string] }>(
  candidates: readonly P[],
  tally: PairTally,
  waiting: (systems: readonly [string, string]) => number,
  seed: string,
): P {
  const worth = candidates.map((pair) => ({
    pair,
    gain: tally.gain(pair.systems) / (1 + waiting(pair.systems)),
    draw: hashUnit(`${seed}:${JSON.stringify(pair.systems)}`),
  }))
  return worth.sort((x, y) => y.gain - x.gain || x.draw - y.draw)[0].pair
}
