/** CLHA from rewards and labels to loss and gradient: the published algorithm (legacy) and the default mode. */
import { clhaLoss } from '../../src/losses/clha.js'
import { legacyRank } from '../../src/rescore/rank.js'
import { maxDifference } from '../fixtures.js'
import { relative } from '../helpers/numbers.js'
import { type DefaultCase, defaultOptions, lossLists, rankedLists } from '../losses/default-lists.js'
import { legacyLists, legacyOptions, type Numbers, runLoss } from '../losses/lists.js'
import { example } from '../rescore/helpers.js'
import { type Check, json, parity, unequal } from './parity.js'

const DTYPES = [
  ['f64', 1e-12],
  ['f32', 1e-5],
] as const

/** Values in the order rank, sft, total; gradients by the summed log-probs. */
function compare(
  check: Check,
  where: string,
  compute: (dtype: 'f64' | 'f32') => Numbers,
  values: number[],
  gradients: { total: number[]; rank_loss?: number[]; sft_loss?: number[] },
): void {
  for (const [dtype, tolerance] of DTYPES) {
    const { parts, total, gradient, partGradients } = compute(dtype)
    check(`${dtype} loss`, relative([parts.rank_loss, parts.sft_loss, total], values), tolerance, where)
    check(`${dtype} gradient`, relative(gradient, gradients.total), tolerance, where)
    for (const part of ['rank_loss', 'sft_loss'] as const) {
      const wanted = gradients[part]
      if (wanted)
        check(`${dtype} gradient`, relative(partGradients[part], wanted), tolerance, `${where}, ${part}`)
    }
  }
}

interface LegacyCase {
  name: string
  params: { threshold: number; margin: number; sft_weight: number; sft_index?: number[] }
  inputs: { sum_logps: number[][]; count: number[][]; reward: number[][] }
  rank: number
  surviving_pairs: number[]
  gate: number[]
  sft: number
  total: number
  grad: { d_sum_rank: number[][]; d_sum_sft: number[][]; d_sum_total: number[][] }
}

parity('clha/loss.json', (check) => {
  for (const { name, params, inputs, ...expected } of json<{ cases: LegacyCase[] }>('clha/loss.json').cases) {
    const { threshold, margin, sft_weight: sftWeight, sft_index: sftIndex } = params
    const { sum_logps: sums, count, reward } = inputs
    const given = { threshold, order: 'given', gateLevel: 0 } as const
    const ranked = legacyRank(
      reward.map((r) => example(r.length)),
      reward,
      { ...given, sftIndex: sftIndex && ((i) => sftIndex[i]) },
    )
    const lists = legacyLists(reward, threshold, sftIndex)
    for (const [what, found] of [
      ['ranked pairs', ranked.map((l) => l.pairs.map((p) => ({ ...p, group: p.distance })))],
      ['pairs', lists.map((l) => l.pairs)],
    ] as const) {
      const survivors = expected.surviving_pairs.map(
        (_, i) => found.flat().filter((p) => p.group === i + 1 && p.weight > 0).length,
      )
      check(what, unequal(survivors, expected.surviving_pairs), 0, name)
    }
    check(
      'gates',
      unequal(
        ranked.map((l) => l.sft.weight),
        expected.gate,
      ),
      0,
      name,
    )
    const options = legacyOptions(reward[0].length, margin, sftWeight)
    const { grad } = expected
    compare(
      check,
      name,
      (dtype) => runLoss((s, l, d) => clhaLoss(s, l, options, d), sums, count, lists, { dtype }),
      [expected.rank, expected.sft, expected.total],
      // Zero where nothing survives, never NaN.
      { total: grad.d_sum_total.flat(), rank_loss: grad.d_sum_rank.flat(), sft_loss: grad.d_sum_sft.flat() },
    )
  }
})

parity('clha/default.json', (check) => {
  for (const c of json<{ cases: DefaultCase[] }>('clha/default.json').cases) {
    const { expected, name } = c
    const ranked = rankedLists(c)
    const shape = (lists: Pick<(typeof ranked)[number], 'order' | 'pairs'>[]) =>
      lists.map(({ order, pairs }) => [order, pairs.map((p) => [p.better, p.worse, p.distance])])
    check('order and pairs', unequal(shape(ranked), shape(expected.lists)), 0, name)
    const numbers = (lists: DefaultCase['expected']['lists']) =>
      lists.flatMap(({ pairs, gate }) => [...pairs.flatMap((p) => [p.belief, p.weight]), gate])
    const found = numbers(ranked.map((l) => ({ ...l, gate: l.sft.weight })))
    check('beliefs, weights, gates', maxDifference(found, numbers(expected.lists)), 1e-12, name)
    const sum = ranked.flatMap((l) => l.pairs.map((p) => p.weight)).reduce((a, b) => a + b, 0)
    check('sum of weights', relative([sum], [expected.pair_weight_sum]), 1e-12, name)
    const [sums, counts] = [c.lists.map((l) => l.S), c.lists.map((l) => l.c)]
    compare(
      check,
      name,
      (dtype) =>
        runLoss((s, l, d) => clhaLoss(s, l, defaultOptions(c), d), sums, counts, lossLists(ranked), {
          dtype,
        }),
      [expected.clha, expected.sft, expected.total],
      { total: expected.d_total_d_S.flat() },
    )
  }
})
