/** The few statistics that more than one file needs; plain numbers in, plain numbers out. */

/** Logistic function, safe at any finite or infinite x. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const z = Math.exp(x)
  return z / (1 + z)
}

/** ln of the logistic function, without overflow. */
export function logSigmoid(x: number): number {
  return x >= 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x))
}

/** Arithmetic mean; NaN of nothing. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return sum / values.length
}

/** Quantile `q` in [0, 1] by linear interpolation (numpy's default); NaN of nothing. */
export function quantile(values: ArrayLike<number>, q: number): number {
  return sortedQuantile(Float64Array.from(values).sort(), q)
}

/** As `quantile`, of values already in rising order. */
export function sortedQuantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * q
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return sorted[low] + (at - low) * (sorted[high] - sorted[low])
}

/** Pearson's correlation; NaN when either side does not vary. */
export function pearson(x: readonly number[], y: readonly number[]): number {
  const mx = mean(x)
  const my = mean(y)
  let xx = 0
  let yy = 0
  let xy = 0
  for (let i = 0; i < x.length; i++) {
    xx += (x[i] - mx) ** 2
    yy += (y[i] - my) ** 2
    xy += (x[i] - mx) * (y[i] - my)
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN
}

/** Quantile of the standard normal: Newton's method on the power series of its distribution function. */
export function normalQuantile(p: number): number {
  if (!(p > 1e-10 && p < 1 - 1e-10))
    throw new RangeError(`normalQuantile: p = ${p} is outside (1e-10, 1 - 1e-10)`)
  if (p > 0.5) return -normalQuantile(1 - p)
  // From 0 the iteration approaches a lower quantile monotonically once past it: the function is convex there.
  let x = 0
  for (let step = 0; step < 100; step++) {
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
    let term = x
    let series = x
    for (let k = 3; Math.abs(term) > 1e-18; k += 2) {
      term *= (x * x) / k
      series += term
    }
    const move = (0.5 + density * series - p) / density
    x -= Math.max(-1, Math.min(1, move))
    if (Math.abs(move) < 1e-14) break
  }
  return x
}

export type Interval = [low: number, high: number]

/**
 * Wilson's score interval of a proportion (Wilson 1927). `successes` may hold halves for ties.
 * @param level confidence, 0.95 by default
 */
export function wilson(successes: number, n: number, level = 0.95): Interval {
  if (n === 0) return [0, 1]
  const z = -normalQuantile((1 - level) / 2)
  const p = successes / n
  const scale = 1 + (z * z) / n
  const centre = (p + (z * z) / (2 * n)) / scale
  const half = (z / scale) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return [Math.max(0, centre - half), Math.min(1, centre + half)]
}
