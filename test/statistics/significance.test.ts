import { expect, test } from 'vitest'
import { corrected, effectSize, permutationTest } from '../../src/statistics/significance.js'

test('three pairs that all rise: of the 8 sign flips 2 are as extreme', () => {
  expect(permutationTest([1, 2, 3])).toBe(2 / 8)
})

test('no difference at all is no evidence', () => {
  expect(permutationTest([0, 0, 0, 0])).toBe(1)
  expect(effectSize([0, 0, 0, 0])).toBe(0)
})

test('sampled flips: the same seed gives the same p, near the exact one', () => {
  const differences = Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? -1 : 1))
  const p = permutationTest(differences, { seed: 3 })
  expect(permutationTest(differences, { seed: 3 })).toBe(p)
  // 7 of 20 signs against: two-sided binomial p = 2 * P(X <= 6 or 7)
  expect(p).toBeGreaterThan(0.2)
  expect(p).toBeLessThan(0.32)
})

test('corrections by hand: Holm multiplies the smallest by n, and never falls', () => {
  expect(corrected([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06])
  expect(corrected([0.01, 0.04, 0.03], 'bonferroni')).toEqual([0.03, 0.12, 0.09])
  const [a, b, c] = corrected([0.01, 0.04, 0.03], 'benjamini_hochberg')
  expect([a, b, c].map((x) => x.toFixed(3))).toEqual(['0.030', '0.040', '0.040'])
})
