/** Maximum likelihood of a reward's temperature T and the annotators' error e, from gaps d = r_chosen - r_rejected. */
import { logSigmoid, quantile, sigmoid } from '../statistics/statistics.js'
import type { Scale } from './beliefs.js'

/** Gaps with how often each counts. */
export interface WeightedGaps {
  gap: Float64Array
  weight: Float64Array
}

export const ERROR_BOUNDS = [0.01, 0.45] as const
/** T lies within these multiples of the median |d|. */
export const TEMPERATURE_BOUNDS = [0.01, 100] as const
// 10 ln e + 30 ln(1 - e): the prior is worth 40 pairs of which a quarter is wrong.
const PRIOR_WRONG = 10
const PRIOR_RIGHT = 30

/** The median |d|: the yardstick of the bounds of T. */
export function medianGap(gaps: ArrayLike<number>): number {
  return quantile(Array.from(gaps, Math.abs), 0.5)
}

/** Most likely e for agreement probabilities s: strictly concave, so Newton within a shrinking bracket. */
function bestError(s: Float64Array, weight: Float64Array): number {
  let [low, high]: [number, number] = [...ERROR_BOUNDS]
  let e = PRIOR_WRONG / (PRIOR_WRONG + PRIOR_RIGHT)
  for (let step = 0; step < 60; step++) {
    let slope = PRIOR_WRONG / e - PRIOR_RIGHT / (1 - e)
    let curve = -PRIOR_WRONG / (e * e) - PRIOR_RIGHT / ((1 - e) * (1 - e))
    for (let i = 0; i < s.length; i++) {
      const t = (1 - 2 * s[i]) / (e + (1 - 2 * e) * s[i])
      slope += weight[i] * t
      curve -= weight[i] * t * t
    }
    if (slope > 0) low = e
    else high = e
    const newton = e - slope / curve
    const next = newton > low && newton < high ? newton : (low + high) / 2
    if (Math.abs(next - e) < 1e-12) return next
    e = next
  }
  return e
}

/** Log-posterior at log T with the best e (or the fixed one), and that e. `s` is scratch space. */
function profile(data: WeightedGaps, logT: number, fixed: number | undefined, s: Float64Array) {
  const { gap, weight } = data
  const t = Math.exp(logT)
  let value = 0
  if (fixed === 0) {
    for (let i = 0; i < gap.length; i++) value += weight[i] * logSigmoid(gap[i] / t)
    return { value, labelError: 0 }
  }
  for (let i = 0; i < gap.length; i++) s[i] = sigmoid(gap[i] / t)
  const e = fixed ?? bestError(s, weight)
  for (let i = 0; i < gap.length; i++) value += weight[i] * Math.log(e + (1 - 2 * e) * s[i])
  // A fixed e makes the prior a constant.
  if (fixed === undefined) value += PRIOR_WRONG * Math.log(e) + PRIOR_RIGHT * Math.log(1 - e)
  return { value, labelError: e }
}

/** Golden-section search for the maximum of f on [low, high]. */
function golden(f: (x: number) => number, low: number, high: number, tolerance: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2
  let [a, b] = [low, high]
  let [c, d] = [b - ratio * (b - a), a + ratio * (b - a)]
  let [fc, fd] = [f(c), f(d)]
  while (b - a > tolerance) {
    if (fc >= fd) {
      ;[b, d, fd] = [d, c, fc]
      c = b - ratio * (b - a)
      fc = f(c)
    } else {
      ;[a, c, fc] = [c, d, fd]
      d = a + ratio * (b - a)
      fd = f(d)
    }
  }
  return (a + b) / 2
}

export interface EstimateOptions {
  /** Fixed e; 0 is the plain estimate without noise or prior. */
  labelError?: number
  /** Median |d|, which sets the bounds of T. */
  median: number
  /** Points of the first pass over log T. */
  grid?: number
  /** Precision of log T. */
  tolerance?: number
}

/**
 * The joint estimate: a grid over log T, each point with its own best e, then every local maximum refined. Deterministic.
 * Above `GROUPS` gaps the grid sees groups of neighbours; the last refinement sees every gap.
 */
export function estimateScale(data: WeightedGaps, options: EstimateOptions): Scale {
  const { labelError, median, grid = 47, tolerance = 1e-9 } = options
  const coarse = data.gap.length > GROUPS ? groupGaps(data.gap) : data
  const s = new Float64Array(data.gap.length)
  const [low, high] = TEMPERATURE_BOUNDS.map((x) => Math.log(x * median))
  const step = (high - low) / (grid - 1)
  const on = (d: WeightedGaps) => (x: number) => profile(d, x, labelError, s.subarray(0, d.gap.length)).value
  const points = Array.from({ length: grid }, (_, i) => low + step * i)
  const values = points.map(on(coarse))
  const bounded = (x: number): [number, number] => [Math.max(low, x - step), Math.min(high, x + step)]
  let best = { x: points[0], value: Number.NEGATIVE_INFINITY }
  for (let i = 0; i < grid; i++) {
    if (values[i] < (values[i - 1] ?? Number.NEGATIVE_INFINITY)) continue
    if (values[i] < (values[i + 1] ?? Number.NEGATIVE_INFINITY)) continue
    const x = golden(on(coarse), ...bounded(points[i]), coarse === data ? tolerance : 1e-4)
    const value = on(coarse)(x)
    if (value > best.value) best = { x, value }
  }
  const x = coarse === data ? best.x : golden(on(data), ...bounded(best.x), tolerance)
  return { temperature: Math.exp(x), labelError: profile(data, x, labelError, s).labelError }
}

/** The best e when T is known. */
export function estimateError(data: WeightedGaps, temperature: number): number {
  return profile(data, Math.log(temperature), undefined, new Float64Array(data.gap.length)).labelError
}

/** From this many gaps on, neighbours are grouped wherever the estimate is repeated. */
export const GROUPS = 1000

/** Sorted gaps in `GROUPS` groups of equal size (to one), each at its mean. */
export function groupGaps(gaps: Float64Array): WeightedGaps {
  const sorted = Float64Array.from(gaps).sort()
  const count = Math.min(GROUPS, sorted.length)
  const gap = new Float64Array(count)
  const weight = new Float64Array(count)
  for (let g = 0; g < count; g++) {
    const from = Math.floor((g * sorted.length) / count)
    const to = Math.floor(((g + 1) * sorted.length) / count)
    for (let i = from; i < to; i++) gap[g] += sorted[i] / (to - from)
    weight[g] = to - from
  }
  return { gap, weight }
}
