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
  /** Expected share of labels that say so, given the labels' own error. */
  predicted: number
  /** Observed share (equal rewards count one half), with its 95 % Wilson interval. */
  observed: number
  interval: Interval
}

/** Up to `bins` bins of equal size over rising belief; a pair counts once, by the majority of its votes. */
export function reliabilityTable(evidence: Evidence, scale: Scale, bins = 10): ReliabilityBin[] {
  const sorted = chosenGaps(evidence).sort((a, b) => Math.abs(a) - Math.abs(b) || a - b)
  const count = Math.min(bins, sorted.length)
  return Array.from({ length: count }, (_, bin) => {
    const from = Math.floor((bin * sorted.length) / count)
    const part = sorted.slice(from, Math.floor(((bin + 1) * sorted.length) / count))
    const belief = part.map((d) => sigmoid(rewardLogit(Math.abs(d), scale)))
    const agree = part.reduce((sum, d) => sum + winOf(d), 0)
    const e = scale.labelError
    return {
      pairs: part.length,
      from: belief[0],
      to: belief[belief.length - 1],
      belief: mean(belief),
      predicted: e + (1 - 2 * e) * mean(belief),
      observed: agree / part.length,
      interval: wilson(agree, part.length),
    }
  })
}

/** Chosen minus rejected reward of each pair with a majority. */
function chosenGaps({ gap, up, down }: Evidence): number[] {
  const gaps: number[] = []
  for (const [i, d] of gap.entries()) if (up[i] !== down[i]) gaps.push(up[i] > down[i] ? d : -d)
  return gaps
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
