import { expect, test } from 'vitest'
import { holm } from '../../src/statistics/significance.js'

test('by hand: the smallest is multiplied by n, and none falls below the one before it', () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06])
})
