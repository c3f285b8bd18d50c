/** What may be hoped for before anything is trained: shares of labelled pairs whose order is right. */
import { majorities, type PairVotes } from '../data/pair-votes.js'
import { beliefs, type Scale, type UncertainScale } from './beliefs.js'
import { places } from './pairs.js'
import type { RankedList } from './ranked.js'

/** Expected shares if one scale were the truth. */
export interface ExpectedShares {
  labelError: number
  /** Right by the labels, by the higher reward, and by the order after rescoring. */
  labels: number
  reward: number
  order: number
  /** What an order could reach that knew this scale. */
  possible: number
}

/** At both ends of what is plausible: the lowest e and the highest. */
export interface Expected {
  pairs: number
  low: ExpectedShares
  high: ExpectedShares
}

/** @returns undefined where no pair has a label */
export function expectedShares(
  lists: readonly RankedList[],
  votes: (i: number) => readonly PairVotes[],
  scale: (i: number) => UncertainScale,
): Expected | undefined {
  const end = (pick: (plausible: readonly Scale[]) => Scale) => {
    const sum = { labelError: 0, labels: 0, reward: 0, order: 0, possible: 0 }
    let pairs = 0
    for (const [i, { rewards, order }] of lists.entries()) {
      const { plausible, ...own } = scale(i)
      const one = pick(plausible ?? [own])
      const q = beliefs(rewards, votes(i), one, 'posterior')
      const place = places(order)
      for (const { better, worse } of majorities(votes(i))) {
        const right = q[better][worse]
        const gap = rewards[better] - rewards[worse]
        pairs++
        sum.labelError += one.labelError
        sum.labels += right
        sum.reward += gap > 0 ? right : gap < 0 ? 1 - right : 0.5
        sum.order += place[better] < place[worse] ? right : 1 - right
        sum.possible += Math.max(right, 1 - right)
      }
    }
    const shares = Object.fromEntries(Object.entries(sum).map(([name, x]) => [name, x / pairs]))
    return { pairs, shares: shares as unknown as ExpectedShares }
  }
  const low = end((all) => all.reduce((a, b) => (b.labelError < a.labelError ? b : a)))
  const high = end((all) => all.reduce((a, b) => (b.labelError > a.labelError ? b : a)))
  return low.pairs === 0 ? undefined : { pairs: low.pairs, low: low.shares, high: high.shares }
}

/** From this gain on in shares of right orders, rewards are said to help. */
const WORTH = 0.005

/** What rewards can do for these labels, in a sentence. */
export function expectedSentence({ low, high }: Expected, determined: boolean): string {
  const gain = (end: ExpectedShares) => end.order - end.labels
  const possible = (end: ExpectedShares) => end.possible - end.labels
  const points = (x: number) => `${(100 * x).toFixed(1)} points`
  if (possible(low) < WORTH && possible(high) < WORTH)
    return "these rewards can't improve the order of these labels; they only tell which pairs to leave alone"
  if (gain(low) >= WORTH || gain(high) >= WORTH) {
    const [from, to] = [low, high].map((end) => points(Math.max(0, gain(end))))
    const range = from === to ? from : `${from} to ${to}`
    return `the rescored order is expected to be right more often than the labels by ${range}`
  }
  return determined
    ? 'these rewards hardly improve the order of these labels; they tell which pairs to leave alone'
    : `no label is reversed, for nobody knows how often labels err; up to ${points(Math.max(possible(low), possible(high)))} could be gained: second labels tell (clha relabel)`
}
