/** How far a figure can be trusted: confidence intervals that are pure functions of data and seed. */
import jstat from 'jstat'
import { createRandom } from '../random.js'
import type { Interval, MeanEstimate } from './estimate.js'
import { mean, sortedQuantile } from './statistics.js'
import { meanInterval } from './t-interval.js'

export interface BootstrapOptions {
  /** 1,000 by default. */
  resamples?: number
  seed?: number | string
  /** Confidence; 0.95 by default. */
  level?: number
}

/** Percentile interval of replicates, by linear interpolation. */
export function percentileInterval(replicates: ArrayLike<number>, level = 0.95): Interval {
  const sorted = Float64Array.from(replicates).sort()
  return [sortedQuantile(sorted, (1 - level) / 2), sortedQuantile(sorted, (1 + level) / 2)]
}

/** Below so many values the percentile bootstrap is too narrow: of two it holds the mean in half of all cases. */
const FEW_VALUES = 20

/**
 * Mean of independent items (one per prompt) with the percentile bootstrap's interval (Efron 1979); of fewer than 20 it
 * reaches as far as Student's. Without one of a single value, and of so few that do not vary.
 * @throws RangeError without values
 */
export function bootstrapMean(values: readonly number[], options: BootstrapOptions = {}): MeanEstimate {
  if (values.length === 0) throw new RangeError('bootstrapMean: no values')
  const { resamples = 1000, seed = 0, level = 0.95 } = options
  const few = values.length < FEW_VALUES
  if (few && values.every((value) => value === values[0])) return { value: values[0] }
  const random = createRandom(seed)
  const replicates = new Float64Array(resamples)
  for (let b = 0; b < resamples; b++) {
    let sum = 0
    for (let i = 0; i < values.length; i++) sum += values[random.int(values.length)]
    replicates[b] = sum / values.length
  }
  const value = mean(values)
  const [low, high] = percentileInterval(replicates, level)
  const [least, most] = (few && meanInterval(values, level).interval) || [low, high]
  return { value, interval: [Math.min(low, least), Math.max(high, most)] }
}

/**
 * Mean of a - b over the same prompts; prompts are resampled, so what they share cancels.
 * @throws RangeError when the sides differ in length
 */
export function bootstrapDifference(
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions = {},
): MeanEstimate {
  if (a.length !== b.length)
    throw new RangeError(`bootstrapDifference: ${a.length} values against ${b.length}`)
  return bootstrapMean(
    a.map((x, i) => x - b[i]),
    options,
  )
}

/**
 * Wilson's score interval of a proportion (Wilson 1927). `successes` may hold halves for ties.
 * @param level confidence, 0.95 by default
 */
export function wilson(successes: number, n: number, level = 0.95): Interval {
  if (n === 0) return [0, 1]
  const z = -jstat.jStat.normal.inv((1 - level) / 2, 0, 1)
  const p = successes / n
  const scale = 1 + (z * z) / n
  const centre = (p + (z * z) / (2 * n)) / scale
  const half = (z / scale) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  // At the ends centre and half are equal but for rounding.
  return [p <= 0 ? 0 : Math.max(0, centre - half), p >= 1 ? 1 : Math.min(1, centre + half)]
}

/** Below so many prompts won, or lost, the spread of what was seen says too little. */
const FEW = 5

/**
 * The interval of a win rate, reaching as far as Wilson's where fewer than five prompts were won, or lost: all wins would
 * else be certain.
 */
export function cautiousRate(
  [low, high]: Interval,
  { value, prompts, won, lost }: { value: number; prompts: number; won: number; lost: number },
): Interval {
  const safe = Math.min(won, lost) < FEW ? wilson(value * prompts, prompts) : [1, 0]
  return [Math.max(0, Math.min(low, safe[0])), Math.min(1, Math.max(high, safe[1]))]
}
