import { describe, expect, test } from 'vitest'
import { createSketch } from '../../src/inspect/sketch.js'
import { createRandom } from '../../src/random.js'

const sketchOf = (values: readonly number[]) => {
  const sketch = createSketch()
  for (const value of values) sketch.add(value)
  return sketch
}

describe('the quantile sketch', () => {
  test('is exact for whole numbers up to 99', () => {
    const values = Array.from({ length: 99 }, (_, i) => i + 1)
    const sketch = sketchOf(createRandom(1).shuffle(values))
    for (const value of values) expect(sketch.quantile(value / 99)).toBe(value)
    expect(sketch.summary()).toMatchObject({ count: 99, mean: 50, min: 1, median: 50, p95: 95, max: 99 })
  })

  test('is within 0.5 % of the value of that rank, for large and for negative values', () => {
    const random = createRandom(2)
    const values = Array.from(
      { length: 20_000 },
      () => Math.exp(8 * random.normal()) * (random.int(2) ? 1 : -1),
    )
    const sketch = sketchOf(values)
    const sorted = values.toSorted((a, b) => a - b)
    for (const q of [0.01, 0.25, 0.5, 0.75, 0.99]) {
      const exact = sorted[Math.ceil(q * sorted.length) - 1]
      expect(Math.abs(sketch.quantile(q) - exact)).toBeLessThanOrEqual(0.00501 * Math.abs(exact))
    }
  })

  test('knows zero, one value and nothing', () => {
    expect(sketchOf([0, 0, 5]).quantile(0.5)).toBe(0)
    expect(sketchOf([1234567]).summary()).toMatchObject({ min: 1234567, median: 1234567, max: 1234567 })
    expect(createSketch().quantile(0.5)).toBeNaN()
  })
})
