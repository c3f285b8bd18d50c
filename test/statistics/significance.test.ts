import { expect, test } from 'vitest'
import { corrected } from '../../src/statistics/significance.js'

test('corrections by hand: Holm multiplies the smallest by n, and never falls', () => {
  expect(corrected([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06])
  expect(corrected([0.01, 0.04, 0.03], 'bonferroni')).toEqual([0.03, 0.12, 0.09])
  const [a, b, c] = corrected([0.01, 0.04, 0.03], 'benjamini_hochberg')
  expect([a, b, c].map((x) => x.toFixed(3))).toEqual(['0.030', '0.040', '0.040'])
})
