/** Intervals of figures whose rows are not independent: the same prompt judged by several, the same rater judging many. */
import type { Estimate, Interval } from './estimate.js'
import { cautiousRate } from './intervals.js'
import { mean } from './statistics.js'
import { tQuantile } from './t-interval.js'

/** Which rows belong together: a number from 0 for each row. */
interface Clustering {
  of: Int32Array
  count: number
}

/** The ways in which rows are clustered; `rater` and `cell` only where there are two raters or more. */
export interface Clusters {
  rows: number
  prompt: Clustering
  rater?: Clustering
  /** Rows of one rater on one prompt. */
  cell?: Clustering
}

/** One interval with what it rests on. */
export interface ClusteredEstimate extends Estimate {
  value: number
  /** Absent where one prompt is all there is, and where nothing varies. */
  interval?: Interval
  standardError?: number
  /** min(prompts, raters) - 1; of one rater prompts - 1. */
  degreesOfFreedom: number
  prompts: number
  raters: number
}

/** @param raters who gave each row; left out where one did */
export function clustersOf(prompts: readonly string[], raters?: readonly string[]): Clusters {
  const prompt = numbered(prompts)
  const rater = raters && numbered(raters)
  if (!rater || rater.count < 2) return { rows: prompts.length, prompt }
  const cell = numbered(prompts.map((_, i) => prompt.of[i] * rater.count + rater.of[i]))
  return { rows: prompts.length, prompt, rater, cell }
}

function numbered(names: readonly (string | number)[]): Clustering {
  const numbers = new Map<string | number, number>()
  const of = Int32Array.from(names, (name) => {
    const known = numbers.get(name)
    if (known !== undefined) return known
    numbers.set(name, numbers.size)
    return numbers.size - 1
  })
  return { of, count: numbers.size }
}

/** Sum over clusters of squared sums of influences, times g / (g - 1). */
function between(influence: ArrayLike<number>, { of, count }: Clustering): number {
  const sums = new Float64Array(count)
  for (let i = 0; i < influence.length; i++) sums[of[i]] += influence[i]
  return count > 1 ? (sums.reduce((total, s) => total + s * s, 0) * count) / (count - 1) : Number.NaN
}

/**
 * Variance of an estimate by two-way clustering (Cameron, Gelbach & Miller 2011): B_prompt + B_rater - B_prompt-and-rater,
 * each with g / (g - 1), and never below B_prompt. Of one rater B_prompt alone.
 * @param influence what each row moves the estimate by: of a mean (y - mean) / n; they sum to 0
 * @returns NaN of one prompt
 */
export function clusteredVariance(influence: ArrayLike<number>, clusters: Clusters): number {
  const byPrompt = between(influence, clusters.prompt)
  if (!clusters.rater || !clusters.cell) return byPrompt
  const both = byPrompt + between(influence, clusters.rater) - between(influence, clusters.cell)
  return Math.max(byPrompt, both)
}

/**
 * An estimate with its 95 % interval: t with min(prompts, raters) - 1 degrees of freedom. Without one where nothing varies.
 * @param least a variance that the clustered one must not fall below
 */
export function clusteredEstimate(
  value: number,
  influence: ArrayLike<number>,
  clusters: Clusters,
  least = 0,
): ClusteredEstimate {
  const prompts = clusters.prompt.count
  const raters = clusters.rater?.count ?? 1
  const degreesOfFreedom = (clusters.rater ? Math.min(prompts, raters) : prompts) - 1
  const rests = { degreesOfFreedom, prompts, raters }
  const variance = Math.max(clusteredVariance(influence, clusters), least)
  if (Number.isNaN(variance) || variance === 0) return { value, ...rests }
  const standardError = Math.sqrt(variance)
  const half = tQuantile(0.975, degreesOfFreedom) * standardError
  return { value, interval: [value - half, value + half], standardError, ...rests }
}

/**
 * A win rate with its interval. Where fewer than five prompts were won, or lost, Wilson's interval over prompts is taken
 * where it reaches further: all wins would else be certain.
 * @param scores 1, 0 or one half, a row each
 */
export function clusteredRate(scores: readonly number[], clusters: Clusters): ClusteredEstimate {
  const { count, of } = clusters.prompt
  const value = mean(scores)
  const found = clusteredEstimate(
    value,
    scores.map((y) => (y - value) / scores.length),
    clusters,
  )
  const won = new Set<number>()
  const lost = new Set<number>()
  scores.forEach((y, i) => {
    if (y > 0.5) won.add(of[i])
    if (y < 0.5) lost.add(of[i])
  })
  const seen = { value, prompts: count, won: won.size, lost: lost.size }
  return { ...found, interval: cautiousRate(found.interval ?? [1, 0], seen) }
}

/**
 * Mean of one group of rows minus that of another: what two systems won against the same baseline, rows of one prompt or
 * one rater together.
 * @param group 0 or 1 of each row; other rows count for neither
 */
export function clusteredDifference(
  values: readonly number[],
  group: readonly number[],
  clusters: Clusters,
): ClusteredEstimate {
  const [first, second] = [0, 1].map((g) => values.filter((_, i) => group[i] === g))
  const [m0, m1] = [mean(first), mean(second)]
  const influence = values.map((y, i) => {
    if (group[i] === 0) return (y - m0) / first.length
    return group[i] === 1 ? -(y - m1) / second.length : 0
  })
  return clusteredEstimate(m0 - m1, influence, clusters)
}
