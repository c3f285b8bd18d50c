/** What people said of one pair of answers, counted: its majority, and the votes behind it. */
import type { Preference, Vote } from './example.js'

/** What people said of one pair; `first` < `second` are candidates. */
export interface PairVotes {
  first: number
  second: number
  /** Votes for the first and for the second. */
  up: number
  down: number
  /** The same by who cast them, where that is known. */
  by?: ReadonlyMap<string, readonly [up: number, down: number]>
}

/** What more votes say than their opposite; undefined where votes cancel. */
export function majorityOf({ first, second, up, down }: PairVotes): Preference | undefined {
  if (up === down) return undefined
  return up > down ? { better: first, worse: second } : { better: second, worse: first }
}

/** The majority of each pair that has one. */
export const majorities = (votes: readonly PairVotes[]): Preference[] =>
  votes.flatMap((pair) => majorityOf(pair) ?? [])

/** Both sides of a pair as an example keeps them: those of each who is named, then all others. */
export function votesOfPair({ first, second, up, down, by = new Map() }: PairVotes): Vote[] {
  const named = [...by].flatMap(([annotator, [u, d]]): Vote[] => [
    { better: first, worse: second, count: u, annotator },
    { better: second, worse: first, count: d, annotator },
  ])
  const sumOf = (k: 0 | 1) => [...by.values()].reduce((sum, counts) => sum + counts[k], 0)
  const others: Vote[] = [
    { better: first, worse: second, count: up - sumOf(0) },
    { better: second, worse: first, count: down - sumOf(1) },
  ]
  return [...named, ...others].filter(({ count }) => count > 0)
}
