import { describe, expect, test } from 'vitest'
import { clhaLoss } from '../../src/losses/clha.js'
import { readJson } from '../fixtures.js'
import { relative } from '../helpers/numbers.js'
import { legacyLists, legacyOptions, runLoss } from './lists.js'

interface Case {
  name: string
  params: { threshold: number; margin: number; sft_weight: number; sft_index?: number[] }
  inputs: { sum_logps: number[][]; count: number[][]; reward: number[][] }
  rank: number
  rank_terms: number[]
  surviving_pairs: number[]
  gate: number[]
  sft: number
  total: number
  grad: { d_sum_rank: number[][]; d_sum_sft: number[][]; d_sum_total: number[][] }
}

const { cases } = readJson<{ cases: Case[] }>('clha/loss.json')

describe('all 32 recorded cases of the reference algorithm', () => {
  test.each(cases)('$name', ({ params, inputs, ...expected }) => {
    const { sum_logps: sums, count, reward } = inputs
    const lists = legacyLists(reward, params.threshold, params.sft_index)
    const options = legacyOptions(reward[0].length, params.margin, params.sft_weight)
    for (const [dtype, tolerance] of [
      ['f64', 1e-12],
      ['f32', 1e-5],
    ] as const) {
      const found = runLoss((s, l, d) => clhaLoss(s, l, options, d), sums, count, lists, { dtype })
      const close = (a: number[], b: number[]) => expect(relative(a, b)).toBeLessThan(tolerance)
      close([found.parts.rank_loss], [expected.rank])
      close([found.parts.sft_loss], [expected.sft])
      close([found.total], [expected.total])
      // The fixture records zero gradient where nothing survives; so do we, never NaN.
      close(found.partGradients.rank_loss, expected.grad.d_sum_rank.flat())
      close(found.partGradients.sft_loss, expected.grad.d_sum_sft.flat())
      close(found.gradient, expected.grad.d_sum_total.flat())
    }
    const survivors = Array.from(
      { length: reward[0].length - 1 },
      (_, i) => lists.flatMap((l) => l.pairs).filter((p) => p.group === i + 1 && p.weight > 0).length,
    )
    expect(survivors).toEqual(expected.surviving_pairs)
    expect(lists.map((l) => l.sft.weight)).toEqual(expected.gate)
  })
})

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
