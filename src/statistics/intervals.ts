/** How far a figure can be trusted: confidence intervals that are pure functions of data and seed. */
import { createRandom } from '../random.js'
import { type Interval, mean, sortedQuantile } from './statistics.js'

export { type Interval, wilson } from './statistics.js'

export interface BootstrapOptions {
  /** 1,000 by default. */
  resamples?: number
  seed?: number | string
  /** Confidence; 0.95 by default. */
  level?: number
}

/** A mean with its percentile bootstrap interval; null of no data. */
export interface Estimate {
  mean: number
  interval: Interval
}

/** Percentile interval of replicates, by linear interpolation. */
export function percentileInterval(replicates: ArrayLike<number>, level = 0.95): Interval {
  const sorted = Float64Array.from(replicates).sort()
  return [sortedQuantile(sorted, (1 - level) / 2), sortedQuantile(sorted, (1 + level) / 2)]
}

/**
 * Mean of independent items (one per prompt) with the percentile bootstrap's interval (Efron 1979).
 * @throws RangeError without values
 */
export function bootstrapMean(values: readonly number[], options: BootstrapOptions = {}): Estimate {
  if (values.length === 0) throw new RangeError('bootstrapMean: no values')
  const { resamples = 1000, seed = 0, level = 0.95 } = options
  const random = createRandom(seed)
  const replicates = new Float64Array(resamples)
  for (let b = 0; b < resamples; b++) {
    let sum = 0
    for (let i = 0; i < values.length; i++) sum += values[random.int(values.length)]
    replicates[b] = sum / values.length
  }
  return { mean: mean(values), interval: percentileInterval(replicates, level) }
}

/**
 * Mean of a - b over the same prompts; prompts are resampled, so what they share cancels.
 * @throws RangeError when the sides differ in length
 */
export function bootstrapDifference(
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions = {},
): Estimate {
  if (a.length !== b.length)
    throw new RangeError(`bootstrapDifference: ${a.length} values against ${b.length}`)
  return bootstrapMean(
    a.map((x, i) => x - b[i]),
    options,
  )
}
