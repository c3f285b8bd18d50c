import { describe, expect, test } from 'vitest'
import { clhaLoss } from '../../src/losses/clha.js'
import { legacyLists, legacyOptions, runLoss } from './lists.js'

describe('vectors worked by hand', () => {
  const run = (s: number[][], reward: number[][], n: number, sftWeight = 0) => {
    const ones = s.map((row) => row.map(() => 1))
    return runLoss(
      (a, l, d) => clhaLoss(a, l, legacyOptions(n, 3, sftWeight), d),
      s,
      ones,
      legacyLists(reward, 3),
    )
  }

  test('two answers: only row 1 survives, 3 - (-1.2 + 1.5) = 2.7', () => {
    const found = run(
      [
        [-1.2, -1.5],
        [-0.9, -1],
      ],
      [
        [4.581, -0.612],
        [1, 0.2],
      ],
      2,
    )
    expect(found.parts.rank_loss).toBeCloseTo(2.7, 12)
    expect(found.gradient).toEqual([-1, 1, 0, 0])
  })

  test('three answers: distances are averaged apart, a gap of exactly 3 is masked: 2.1 + 5.3', () => {
    const found = run(
      [
        [-1.2, -1.5, -2.4],
        [-0.9, -1, -1.1],
      ],
      [
        [4.581, 2.39, -0.612],
        [-0.5, -1, -4],
      ],
      3,
    )
    expect(found.parts.rank_loss).toBeCloseTo(7.4, 12)
  })

  test('the SFT term: 0.05 * (3 - 1)^2 * (60 + 0) / 2 = 6', () => {
    const found = run(
      [
        [-60, -1, -1],
        [-45, -1, -1],
      ],
      [
        [4.581, 0, 0],
        [-0.5, 0, 0],
      ],
      3,
      0.05,
    )
    expect(found.parts.sft_loss).toBeCloseTo(6, 12)
    expect(found.partGradients.sft_loss).toEqual([-0.1, 0, 0, -0, 0, 0].map((x) => expect.closeTo(x, 14)))
  })
})
