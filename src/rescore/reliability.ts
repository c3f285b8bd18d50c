/** Whether predicted probabilities of preference come true: a reliability table, and the usual single numbers. */
import { winOf } from '../statistics/agreement.js'
import type { Interval } from '../statistics/estimate.js'
import { wilson } from '../statistics/intervals.js'
import { logSigmoid, mean, middleRanks, sigmoid } from '../statistics/statistics.js'
import { rewardLogit, type Scale } from './beliefs.js'
import type { Evidence } from './noise/evidence.js'

/** Pairs of similar |d|. If the fit is right, `observed` is near `predicted`. */
export interface ReliabilityBin {
  pairs: number
  /** Smallest and largest belief of the bin. */
  from: number
  to: number
  /** Mean belief that the answer with the higher reward is better. */
  belief: number
  /** Expected share of labels that say so, given the labels' own error; of several votes their majority's. */
  predicted: number
  /** Observed share (equal rewards count one half), with its 95 % Wilson interval. */
  observed: number
  interval: Interval
}

/** Up to `bins` bins of equal size over rising belief; a pair counts once, by the majority of its votes. */
export function reliabilityTable(evidence: Evidence, scale: Scale, bins = 10): ReliabilityBin[] {
  const sorted = decided(evidence).sort((a, b) => Math.abs(a.gap) - Math.abs(b.gap) || a.gap - b.gap)
  const errorOf = majorityErrors(scale.labelError)
  const count = Math.min(bins, sorted.length)
  return Array.from({ length: count }, (_, bin) => {
    const from = Math.floor((bin * sorted.length) / count)
    const part = sorted.slice(from, Math.floor(((bin + 1) * sorted.length) / count))
    const belief = part.map(({ gap }) => sigmoid(rewardLogit(Math.abs(gap), scale)))
    const agree = part.reduce((sum, { gap }) => sum + winOf(gap), 0)
    const saysSo = part.map(({ votes }, i) => errorOf(votes) + (1 - 2 * errorOf(votes)) * belief[i])
    return {
      pairs: part.length,
      from: belief[0],
      to: belief[belief.length - 1],
      belief: mean(belief),
      predicted: mean(saysSo),
      observed: agree / part.length,
      interval: wilson(agree, part.length),
    }
  })
}

/** Each pair with a majority: chosen minus rejected reward, and how many voted. */
function decided({ gap, up, down }: Evidence): { gap: number; votes: number }[] {
  return Array.from(gap, (d, i) => ({ gap: up[i] > down[i] ? d : -d, votes: up[i] + down[i] })).filter(
    (_, i) => up[i] !== down[i],
  )
}

/** @returns by the number of votes, how often their majority is wrong where there is one; each vote errs with e by itself */
function majorityErrors(e: number): (votes: number) => number {
  const known = new Map([[1, e]])
  return (votes) => {
    const found = known.get(votes) ?? (e === 0 ? 0 : majorityError(votes, e))
    known.set(votes, found)
    return found
  }
}

function majorityError(votes: number, e: number): number {
  const [right, wrong] = [Math.log(1 - e), Math.log(e)]
  let [isRight, isWrong, ways] = [0, 0, 0]
  for (let most = votes; 2 * most > votes; most--) {
    isRight += Math.exp(ways + most * right + (votes - most) * wrong)
    isWrong += Math.exp(ways + most * wrong + (votes - most) * right)
    ways += Math.log(most / (votes - most + 1))
  }
  return isWrong / (isRight + isWrong)
}

export interface PreferenceMetrics {
  /** Share of labels that the sign of the margin predicts; equal rewards count one half. */
  accuracy: number
  /** Mean negative log-likelihood, in nats. */
  nll: number
  brier: number
  /** Expected calibration error over equal-width bins of the probability, each closed on the right. */
  ece: number
  /** Probability that a margin with label 1 exceeds one with label 0; null when one kind is missing. */
  auc: number | null
}

/**
 * How well margins predict labels at one temperature.
 * @param margins r_first - r_second
 * @param labels  1 where the first answer was preferred, else 0
 */
export function preferenceMetrics(
  margins: readonly number[],
  labels: readonly number[],
  temperature = 1,
  bins = 10,
): PreferenceMetrics {
  const p = margins.map((m) => sigmoid(m / temperature))
  return {
    accuracy: mean(margins.map((m, i) => winOf(labels[i] === 1 ? m : -m))),
    nll: -mean(margins.map((m, i) => logSigmoid(((labels[i] === 1 ? 1 : -1) * m) / temperature))),
    brier: mean(p.map((x, i) => (x - labels[i]) ** 2)),
    ece: calibrationError(p, labels, (x) => Math.min(bins - 1, Math.max(0, Math.ceil(x * bins) - 1))),
    auc: areaUnderCurve(margins, labels),
  }
}

/**
 * Expected calibration error: |mean outcome - mean probability| of each bin, weighed by its members.
 * @param outcomes 1 where what was predicted came true, else 0
 */
export function calibrationError(
  probabilities: readonly number[],
  outcomes: readonly number[],
  binOf: (probability: number) => number,
): number {
  const gaps = new Map<number, number>()
  for (const [i, p] of probabilities.entries()) {
    const bin = binOf(p)
    gaps.set(bin, (gaps.get(bin) ?? 0) + outcomes[i] - p)
  }
  return [...gaps.values()].reduce((sum, gap) => sum + Math.abs(gap), 0) / probabilities.length
}

/** Mann-Whitney's form of the area under the curve: ranks, with ties at their middle. */
function areaUnderCurve(margins: readonly number[], labels: readonly number[]): number | null {
  const positives = labels.filter((label) => label === 1).length
  const negatives = labels.length - positives
  if (positives === 0 || negatives === 0) return null
  const ranks = middleRanks(margins)
  const sum = ranks.reduce((total, rank, i) => total + (labels[i] === 1 ? rank : 0), 0)
  return (sum - (positives * (positives + 1)) / 2) / (positives * negatives)
}
