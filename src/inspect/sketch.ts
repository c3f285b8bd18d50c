/** Quantiles of any number of values in a few kilobytes, the same on every run. */

export interface Summary {
  count: number
  mean: number
  min: number
  p5: number
  median: number
  p95: number
  p99: number
  max: number
}

export interface Sketch {
  add(value: number): void
  readonly count: number
  /** @param q in [0, 1]; the smallest value that at least this share of them does not exceed. NaN of nothing */
  quantile(q: number): number
  summary(): Summary
}

/** Largest relative error of a quantile; whole numbers below 100 are exact. */
const ACCURACY = 0.005
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
const LOG_GAMMA = Math.log(GAMMA)
/** Apart from every bucket of a size. */
const ZERO = 1e6

/** Buckets whose width grows with the value: DDSketch (Masson, Rim, Lee 2019), for both signs. */
export function createSketch(): Sketch {
  const buckets = new Map<number, number>()
  let [count, sum, min, max, whole] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true]
  const quantile = (q: number): number => {
    if (count === 0) return Number.NaN
    const rank = Math.max(1, Math.ceil(q * count - 1e-9))
    let below = 0
    for (const [bucket, n] of [...buckets].sort(([a], [b]) => a - b)) {
      below += n
      if (below < rank) continue
      const value = middleOf(bucket)
      return Math.min(max, Math.max(min, whole ? Math.round(value) : value))
    }
    return max
  }
  return {
    add(value) {
      const bucket = bucketOf(value)
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
      count++
      sum += value
      min = Math.min(min, value)
      max = Math.max(max, value)
      whole &&= Number.isInteger(value)
    },
    get count() {
      return count
    },
    quantile,
    summary: () => ({
      count,
      mean: sum / count,
      min: count === 0 ? Number.NaN : min,
      p5: quantile(0.05),
      median: quantile(0.5),
      p95: quantile(0.95),
      p99: quantile(0.99),
      max: count === 0 ? Number.NaN : max,
    }),
  }
}

/** Numbers in the order of the values: negative ones, zero, positive ones. */
function bucketOf(value: number): number {
  if (value === 0) return 0
  const size = Math.ceil(Math.log(Math.abs(value)) / LOG_GAMMA) + ZERO
  return value > 0 ? size : -size
}

function middleOf(bucket: number): number {
  if (bucket === 0) return 0
  const size = (2 * GAMMA ** (Math.abs(bucket) - ZERO)) / (GAMMA + 1)
  return bucket > 0 ? size : -size
}
