/** A mean with its 95 % t-interval, for few repetitions. */
import jstat from 'jstat'
import type { Estimate } from './estimate.js'

export function meanInterval(values: readonly number[]): Estimate {
  const n = values.length
  const mean = values.reduce((a, b) => a + b, 0) / n
  if (n < 2) return { value: mean }
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1))
  const half = (tQuantile(0.975, n - 1) * deviation) / Math.sqrt(n)
  return { value: mean, interval: [mean - half, mean + half] }
}

/** jstat's inverse is right to eight digits; a step of Newton's method on its distribution gives the rest. */
export function tQuantile(probability: number, degreesOfFreedom: number): number {
  const { inv, cdf, pdf } = jstat.jStat.studentt
  const near = inv(probability, degreesOfFreedom)
  return near - (cdf(near, degreesOfFreedom) - probability) / pdf(near, degreesOfFreedom)
}
