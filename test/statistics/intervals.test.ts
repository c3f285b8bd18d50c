import { describe, expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { bootstrapDifference, bootstrapMean, wilson } from '../../src/statistics/intervals.js'
import { quantile } from '../../src/statistics/statistics.js'

test('Wilson by hand: 5 of 10, and the ends', () => {
  const z2 = 1.959963984540054 ** 2
  const half = Math.sqrt(z2 / 40 + z2 ** 2 / 400) / (1 + z2 / 10)
  const [low, high] = wilson(5, 10)
  expect(low).toBeCloseTo(0.5 - half, 12)
  expect(high).toBeCloseTo(0.5 + half, 12)
  expect(wilson(0, 10)[0]).toBe(0)
  for (let n = 1; n <= 50; n++) expect([wilson(0, n)[0], wilson(n, n)[1]]).toEqual([0, 1])
  expect(wilson(0, 0)).toEqual([0, 1])
  expect(wilson(5, 10, 0.99)[0]).toBeCloseTo(0.5 - 0.5 / Math.sqrt(1 + 10 / 2.5758293035489004 ** 2), 12)
})

test('quantiles interpolate', () => {
  expect(quantile([4, 1, 2, 3], 0.25)).toBe(1.75)
  expect(quantile([7], 0.9)).toBe(7)
  expect(quantile([], 0.5)).toBeNaN()
})

describe('bootstrap', () => {
  const random = createRandom('bootstrap')
  const values = Array.from({ length: 400 }, () => 3 + random.normal())

  test('the interval of a mean is as wide as its standard error says', () => {
    const { value: mean, interval = [0, 0] } = bootstrapMean(values)
    const sd = Math.sqrt(values.reduce((s, x) => s + (x - mean) ** 2, 0) / values.length)
    const expected = (2 * 1.96 * sd) / Math.sqrt(values.length)
    expect(Math.abs((interval[1] - interval[0]) / expected - 1)).toBeLessThan(0.12)
    expect(interval[0]).toBeLessThan(mean)
    expect(interval[1]).toBeGreaterThan(mean)
  })

  test('95 % intervals hold the truth in at least 85 of 100 samples', () => {
    let held = 0
    for (let k = 0; k < 100; k++) {
      const sample = Array.from({ length: 50 }, () => random.normal())
      const { interval: [low, high] = [1, 0] } = bootstrapMean(sample, { resamples: 200, seed: k })
      if (low <= 0 && high >= 0) held++
    }
    expect(held).toBeGreaterThanOrEqual(85)
  })

  // 200 runs of a 95 % interval hold the truth in 179 or more of them, but once in a thousand.
  test.each([2, 3, 5, 10])('the interval of the mean of %i values holds the truth as well', (n) => {
    let held = 0
    for (let k = 0; k < 200; k++) {
      const sample = Array.from({ length: n }, () => random.normal())
      const { interval: [low, high] = [1, 0] } = bootstrapMean(sample, { resamples: 100, seed: k })
      held += Number(low <= 0 && 0 <= high)
    }
    expect(held).toBeGreaterThanOrEqual(179)
  })

  test('one value, and a few that do not vary, have no interval', () => {
    expect(bootstrapMean([-0.48])).toEqual({ value: -0.48 })
    expect(bootstrapMean([1, 1, 1])).toEqual({ value: 1 })
    expect(bootstrapDifference([1, 2], [0, 1])).toEqual({ value: 1 })
    expect(bootstrapMean(new Array(20).fill(1)).interval).toEqual([1, 1])
  })

  test('the same seed gives the same interval, another seed another', () => {
    expect(bootstrapMean(values)).toEqual(bootstrapMean(values, { seed: 0 }))
    expect(bootstrapMean(values, { seed: 1 }).interval).not.toEqual(bootstrapMean(values).interval)
  })

  test('differences are paired: what the prompts share cancels', () => {
    const a = values.map((x, i) => 10 * x + 0.1 + 0.001 * (i % 3))
    const { value: mean, interval = [0, 1] } = bootstrapDifference(
      a,
      values.map((x) => 10 * x),
    )
    expect(mean).toBeCloseTo(0.101, 3)
    expect(interval[1] - interval[0]).toBeLessThan(0.001)
  })

  test('nothing to resample and unequal sides are refused', () => {
    expect(() => bootstrapMean([])).toThrow('no values')
    expect(() => bootstrapDifference([1], [1, 2])).toThrow('1 values against 2')
  })
})
