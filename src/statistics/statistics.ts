/** The few statistics that more than one file needs; plain numbers in, plain numbers out. */

/** Logistic function, safe at any finite or infinite x. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const z = Math.exp(x)
  return z / (1 + z)
}

/** Log-odds of a probability, the logistic function's inverse; infinite at 0 and 1. */
export const logit = (p: number): number => Math.log(p / (1 - p))

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

/** A number for JSON, which has no NaN. */
export const orNull = (x: number): number | null => (Number.isNaN(x) ? null : x)

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

/** Ranks from 1 by rising value; equal values share the mean of their ranks. */
export function middleRanks(values: readonly number[]): number[] {
  const index = values.map((_, i) => i).sort((a, b) => values[a] - values[b])
  const ranks = new Array<number>(values.length)
  for (let from = 0; from < index.length; ) {
    let to = from + 1
    while (to < index.length && values[index[to]] === values[index[from]]) to++
    for (let k = from; k < to; k++) ranks[index[k]] = (from + to + 1) / 2
    from = to
  }
  return ranks
}
