import { expect, test } from 'vitest'
import { scheduleFactor } from '../../src/optim/schedule.js'

test('factors by hand', () => {
  const linear = { name: 'linear' as const, warmupSteps: 2, totalSteps: 6 }
  expect([0, 1, 2, 4, 6, 9].map((step) => scheduleFactor(linear, 1, step))).toEqual([0, 0.5, 1, 0.5, 0, 0])
  const cosine = { name: 'cosine' as const, warmupSteps: 0, totalSteps: 4 }
  expect(scheduleFactor(cosine, 1, 2)).toBeCloseTo(0.5, 15)
})
