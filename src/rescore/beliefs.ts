/** How likely each candidate is the better of each pair, from rewards and human labels together. */
import { majorityOf, type PairVotes } from '../data/pair-votes.js'
import { logit, sigmoid } from '../statistics/statistics.js'

/** Which evidence decides: both, the reward alone (the paper), the label alone, or both where they agree. */
export type LabelSource = 'posterior' | 'reward' | 'human' | 'agreement'

/**
 * What may be asked for: `auto` is the posterior where the labels' error is determined, else agreement; `perplexity` the
 * posterior with the unit and the error that PerpCorrect reads from a language model's perplexities.
 */
export type AskedSource = LabelSource | 'auto' | 'perplexity'

/** What a scorer's numbers mean, and how far labels can be trusted. */
export interface Scale {
  /** The unit of the reward: r / temperature is a log-odds of being better, beyond lapses. */
  temperature: number
  /** Probability in [0, 1/2) that a human label is wrong. */
  labelError: number
  /** Share of pairs in which the reward is wrong however large its gap is; 0 when left out. */
  lapse?: number
  /** Log-odds of a wrong label of those who are named, over those of all: added to the log-odds of `labelError`. */
  annotators?: Readonly<Record<string, number>>
}

/** A best estimate, and what else may be true. */
export interface UncertainScale extends Scale {
  /** Scales that the labels do not rule out. */
  plausible?: readonly Scale[]
  /** Scales with how likely they are; they add up to 1. */
  averaged?: readonly (Scale & { weight: number })[]
  /** A label that is believed less than this on average is reversed; 1/2 when left out. */
  reverseBelow?: number
}

/** Log-odds of the first answer of a pair under one scale. */
export const pairLogit = (gap: number, votes: PairVotes, scale: Scale): number =>
  rewardLogit(gap, scale) + votesLogit(votes, scale)

/** Probability that the first answer of a pair is better, averaged over what may be true. */
export function averageBelief(gap: number, votes: PairVotes, scale: UncertainScale): number {
  const { averaged, annotators } = scale
  if (!averaged) return sigmoid(pairLogit(gap, votes, scale))
  return averaged.reduce(
    (sum, one) => sum + one.weight * sigmoid(pairLogit(gap, votes, { ...one, annotators })),
    0,
  )
}

/** Log-odds that a reward gap d gives: of lapse + (1 - 2 lapse) sg(d / T). */
export function rewardLogit(gap: number, { temperature, lapse = 0 }: Scale): number {
  const x = gap / temperature
  if (lapse === 0) return x
  const z = Math.exp(-Math.abs(x))
  return Math.sign(x) * Math.log((1 - lapse + lapse * z) / (lapse + (1 - lapse) * z))
}

/** The gap that gives these log-odds; infinite where lapses never let it come so far, or always do. */
export function gapOfLogit(logOdds: number, { temperature, lapse = 0 }: Scale): number {
  if (lapse === 0) return temperature * logOdds
  const share = (sigmoid(logOdds) - lapse) / (1 - 2 * lapse)
  return temperature * logit(Math.min(1, Math.max(0, share)))
}

/** Log-odds that a label is right which errs with probability e. Saved runs hold it to the last bit, where -logit(e) may differ. */
export const logitOfLabel = (e: number): number => Math.log((1 - e) / e)

/** Log-odds that votes give for the first answer: net votes times ln((1 - e) / e), each annotator's by its own e. */
export function votesLogit({ up, down, by }: PairVotes, { labelError: e, annotators }: Scale): number {
  const each = logitOfLabel(e)
  let net = up - down
  let sum = 0
  for (const [name, [u, d]] of annotators ? (by ?? []) : []) {
    const shift = annotators?.[name]
    if (shift === undefined) continue
    // Never below 0: a label counts for nothing at worst.
    sum += (u - d) * Math.max(0, each - shift)
    net -= u - d
  }
  // A label that is never wrong has an infinite log-odds, and 0 times that is not 0.
  return sum + (net === 0 ? 0 : net * each)
}

/**
 * Beliefs q[i][j] that candidate i is better than j, 1/2 on the diagonal; q[i][j] + q[j][i] = 1.
 * logit q_ij = logit s(r_i - r_j) + net votes * ln((1 - e) / e): the reward's odds times those of each label.
 */
export function beliefs(
  rewards: readonly number[],
  votes: readonly PairVotes[],
  scale: Scale,
  source: LabelSource,
): number[][] {
  const q = rewards.map((r, i) =>
    rewards.map((other, j) => (i === j || source === 'human' ? 0 : rewardLogit(r - other, scale))),
  )
  if (source !== 'reward') {
    for (const pair of votes) {
      const fromVotes = votesLogit(pair, scale)
      q[pair.first][pair.second] += fromVotes
      q[pair.second][pair.first] -= fromVotes
    }
  }
  return q.map((row) => row.map(sigmoid))
}

/**
 * Beliefs under an uncertain scale: of all that is plausible the one nearest to 1/2, and 1/2 where opinions differ on
 * which is better. So no pair counts for more than every plausible scale says. On which side of 1/2 a labelled pair
 * stands is for the average and `reverseBelow` to say.
 */
export function cautiousBeliefs(
  rewards: readonly number[],
  votes: readonly PairVotes[],
  scale: UncertainScale,
  source: LabelSource,
): number[][] {
  const [first, ...rest] = (scale.plausible ?? [scale]).map((s) => beliefs(rewards, votes, s, source))
  for (const other of rest) {
    for (const [i, row] of other.entries()) {
      for (const [j, q] of row.entries()) first[i][j] = nearer(first[i][j], q)
    }
  }
  // A scale that is given is no estimate.
  if ((scale.plausible?.length ?? 1) === 1 && scale.averaged === undefined) return first
  const coin = first.map((row) => row.map((q) => (Math.abs(q - 0.5) < COIN ? 0.5 : q)))
  if (source === 'reward') return coin
  for (const pair of votes) {
    const majority = majorityOf(pair)
    if (!majority) continue
    const { better, worse } = majority
    const q = coin[better][worse]
    const gap = rewards[pair.first] - rewards[pair.second]
    const reversed = source !== 'human' && majorityBelief(gap, pair, scale) < (scale.reverseBelow ?? 0.5)
    coin[better][worse] = reversed ? Math.min(q, 0.5 - BARELY) : Math.max(q, 0.5)
    coin[worse][better] = 1 - coin[better][worse]
  }
  return coin
}

/** Average probability that the majority of the votes on a pair is right. */
export function majorityBelief(gap: number, votes: PairVotes, scale: UncertainScale): number {
  const q = averageBelief(gap, votes, scale)
  return votes.up > votes.down ? q : 1 - q
}

/** A belief this near to a coin's is a coin's: a reward that tells nothing decides nothing. */
const COIN = 0.01
/** A label that is reversed on average alone: believed wrong, and nothing rests on it. */
const BARELY = 1e-6

const nearer = (a: number, b: number): number => {
  if ((a - 0.5) * (b - 0.5) <= 0) return 0.5
  return a > 0.5 ? Math.min(a, b) : Math.max(a, b)
}
