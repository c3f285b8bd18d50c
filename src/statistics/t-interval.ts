/** Means over few repetitions, such as seeds: Student's interval and test. */
import jstat from 'jstat'
import type { Estimate } from './estimate.js'
import { mean } from './statistics.js'

/** Below this number of repetitions an interval is so wide that only large differences show. */
export const ENOUGH_REPETITIONS = 5

/** A mean with its t-interval, of 95 % by default; without one of a single value. */
export function meanInterval(values: readonly number[], level = 0.95): Estimate {
  const value = mean(values)
  if (values.length < 2) return { value }
  const half = tQuantile((1 + level) / 2, values.length - 1) * standardError(values)
  return { value, interval: [value - half, value + half] }
}

/**
 * Two-sided p of Student's test that the mean is 0; of paired differences, the paired t-test. Values that do not vary are no
 * chance: p is 0, or 1 where all of them are 0.
 * @returns undefined for fewer than two values
 */
export function tTest(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined
  const [value, error] = [mean(values), standardError(values)]
  if (error === 0) return value === 0 ? 1 : 0
  return 2 * jstat.jStat.studentt.cdf(-Math.abs(value / error), values.length - 1)
}

function standardError(values: readonly number[]): number {
  const average = mean(values)
  const squares = values.reduce((sum, v) => sum + (v - average) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1) / values.length)
}

/** jstat's inverse is right to eight digits; a step of Newton's method on its distribution gives the rest. */
export function tQuantile(probability: number, degreesOfFreedom: number): number {
  const { inv, cdf, pdf } = jstat.jStat.studentt
  const near = inv(probability, degreesOfFreedom)
  return near - (cdf(near, degreesOfFreedom) - probability) / pdf(near, degreesOfFreedom)
}
