import { describe, expect, test } from 'vitest'
import { CLHA_DEFAULTS, type ClhaOptions, clhaLoss } from '../../src/losses/clha.js'
import type { LossList } from '../../src/losses/types.js'
import type { LabelSource } from '../../src/rescore/rank.js'
import { rankLists } from '../../src/rescore/rank.js'
import { readJson } from '../fixtures.js'
import { relative } from '../helpers/numbers.js'
import { example } from '../rescore/helpers.js'
import { runLoss } from './lists.js'

interface Case {
  name: string
  options: {
    T: number
    e: number
    margin: number
    sft_weight: number
    level: number
    min_confidence: number
    pair_weight: 'soft' | 'hard'
    label_source: LabelSource
    margin_scale: 'constant' | 'rank'
  }
  lists: { S: number[]; c: number[]; r: number[]; human: number[][] }[]
  expected: { clha: number; sft: number; total: number; pair_weight_sum: number; d_total_d_S: number[][] }
}

const { cases } = readJson<{ cases: Case[] }>('clha/default.json')

/** From raw rewards and labels to what the loss takes, by the rescoring that training uses. */
function lossLists({ options, lists }: Case): LossList[] {
  const ranked = rankLists(
    lists.map(({ r, human }) => example(r.length, human)),
    lists.map(({ r }) => r),
    {
      labelSource: options.label_source,
      pairWeight: options.pair_weight,
      minConfidence: options.min_confidence,
      sftGate: 'soft',
      gateQuantile: 0.25,
      gateLevel: options.level,
    },
    () => ({ temperature: options.T, labelError: options.e }),
  )
  return ranked.map(({ pairs, sft }) => ({
    pairs: pairs.map((p) => ({ ...p, group: 0 })),
    sft: { ...sft, group: 0 },
  }))
}

const optionsOf = ({ options }: Case): ClhaOptions => ({
  ...CLHA_DEFAULTS,
  margin: options.margin,
  marginScale: options.margin_scale,
  sftWeight: options.sft_weight,
})

describe('all 19 recorded cases, from rewards and labels to loss and gradient', () => {
  test.each(cases)('$name', (c) => {
    const lists = lossLists(c)
    const [S, counts] = [c.lists.map((l) => l.S), c.lists.map((l) => l.c)]
    const weights = lists.flatMap((l) => l.pairs.map((p) => p.weight)).reduce((a, b) => a + b, 0)
    expect(relative([weights], [c.expected.pair_weight_sum])).toBeLessThan(1e-12)
    for (const [dtype, tolerance] of [
      ['f64', 1e-12],
      ['f32', 1e-5],
    ] as const) {
      const found = runLoss((s, l, d) => clhaLoss(s, l, optionsOf(c), d), S, counts, lists, { dtype })
      const { rank_loss: rank, sft_loss: sft } = found.parts
      expect(
        relative([rank, sft, found.total], [c.expected.clha, c.expected.sft, c.expected.total]),
      ).toBeLessThan(tolerance)
      expect(relative(found.gradient, c.expected.d_total_d_S.flat())).toBeLessThan(tolerance)
    }
  })
})

test('the documented vector, to the digits that are printed with it', () => {
  const c = cases.find(({ name }) => name === 'vector')!
  const found = runLoss(
    (s, l) => clhaLoss(s, l, optionsOf(c)),
    c.lists.map((l) => l.S),
    c.lists.map((l) => l.c),
    lossLists(c),
  )
  expect(found.parts.rank_loss).toBeCloseTo(1.00039129, 9)
  expect(found.parts.sft_loss).toBeCloseTo(1.155152093, 9)
  expect(found.total).toBeCloseTo(2.155543383, 9)
  const gradient = [-0.07627172, 0.031236414, 0, -0.022423953, -0.07627172, 0.05209692, -0.025032607]
  expect(found.gradient).toEqual(gradient.map((x) => expect.closeTo(x, 8)))
})
