import { describe, expect, test } from 'vitest'
import { CLHA_DEFAULTS, type ClhaOptions, clhaDenominators, clhaLoss } from '../../src/losses/clha.js'
import { sftDenominators, sftLoss } from '../../src/losses/sft.js'
import type { LossList } from '../../src/losses/types.js'
import { createRandom } from '../../src/random.js'
import { f64, scope } from '../../src/tensor/index.js'
import { centralDifferences, relative } from '../helpers/numbers.js'
import { allPairs, type Loss, offsetsOf, runLoss } from './lists.js'

const clha =
  (options: ClhaOptions = CLHA_DEFAULTS): Loss =>
  (scores, lists, denominators) =>
    clhaLoss(scores, lists, options, denominators)
const sft: Loss = (scores, lists, denominators) =>
  sftLoss(scores, lists, denominators ?? sftDenominators(lists, countsOf(scores)))
const countsOf = ({ counts, offsets }: { counts: readonly number[]; offsets: readonly number[] }) =>
  offsets.slice(1).map((end, i) => counts.slice(offsets[i], end))

/** Lists of 1 to 6 answers with random weights, gates and groups. */
function randomStep(seed: string, lists: number, groups = 1) {
  const random = createRandom(seed)
  const sizes = Array.from({ length: lists }, (_, i) => 1 + (i % 6))
  return {
    sums: sizes.map((n) => Array.from({ length: n }, () => -30 * random.next())),
    counts: sizes.map((n) => Array.from({ length: n }, () => 1 + random.int(20))),
    lists: sizes.map((n): LossList => {
      const group = random.int(groups)
      const all = allPairs(n, group)
      return {
        pairs: all.pairs.map((p) => ({ ...p, weight: random.int(4) === 0 ? 0 : random.next() })),
        sft: { index: random.int(n), weight: random.int(4) === 0 ? 0 : random.next(), group },
      }
    }),
  }
}

const variants: [string, ClhaOptions][] = [
  ['default', CLHA_DEFAULTS],
  ['margin by rank', { ...CLHA_DEFAULTS, marginScale: 'rank', margin: 0.4 }],
  [
    'three groups, SFT by lists',
    { margin: 3, marginScale: 'rank', sftWeight: 0.2, sftReduction: 'lists', groups: 3 },
  ],
]

test.each(variants)('%s: gradients agree with central differences', (name, options) => {
  const step = randomStep(name, 8, options.groups)
  const check = (loss: Loss) => {
    const found = runLoss(loss, step.sums, step.counts, step.lists).gradient
    const offsets = offsetsOf(step.counts)
    const value = (sum: number[]) =>
      loss({ sum: f64(sum), counts: step.counts.flat(), offsets }, step.lists).total.item()
    expect(relative(found, centralDifferences(step.sums.flat(), value))).toBeLessThan(1e-9)
  }
  check(clha(options))
  check(sft)
})

/** All ways to cut n things into neighbouring runs. */
function cuts(n: number): number[][] {
  return Array.from({ length: 2 ** (n - 1) }, (_, mask) => {
    const ends = Array.from({ length: n - 1 }, (_, i) => i + 1).filter((i) => mask & (1 << (i - 1)))
    return [0, ...ends, n]
  })
}

test.each(variants)('%s: no result changes with the split into micro-batches', (name, options) => {
  const step = randomStep(`${name} split`, 7, options.groups)
  const losses: [Loss, ReturnType<typeof clhaDenominators>][] = [
    [clha(options), clhaDenominators(step.lists, step.counts, options)],
    [sft, sftDenominators(step.lists, step.counts)],
  ]
  for (const [loss, denominators] of losses) {
    const whole = runLoss(loss, step.sums, step.counts, step.lists)
    for (const ends of cuts(7)) {
      const parts = ends.slice(1).map((end, i) => {
        const part = <T>(all: readonly T[]) => all.slice(ends[i], end)
        return runLoss(loss, part(step.sums), part(step.counts), part(step.lists), { denominators })
      })
      const sum = (pick: (p: (typeof parts)[0]) => number) => parts.reduce((a, p) => a + pick(p), 0)
      expect(relative([sum((p) => p.total)], [whole.total])).toBeLessThan(1e-12)
      for (const key of Object.keys(whole.parts)) {
        expect(relative([sum((p) => p.parts[key])], [whole.parts[key]])).toBeLessThan(1e-12)
      }
      expect(
        relative(
          parts.flatMap((p) => p.gradient),
          whole.gradient,
        ),
      ).toBeLessThan(1e-12)
    }
  }
})

test('legacy groups: the step is the mean over its groups, each with denominators of its own', () => {
  const options: ClhaOptions = {
    margin: 3,
    marginScale: 'rank',
    sftWeight: 0.2,
    sftReduction: 'lists',
    groups: 3,
  }
  const step = randomStep('groups', 9, 3)
  const whole = runLoss(clha(options), step.sums, step.counts, step.lists)
  const alone = [0, 1, 2].map((group) => {
    const mine = <T>(all: readonly T[]) => all.filter((_, i) => step.lists[i].sft.group === group)
    return runLoss(clha({ ...options, groups: 1 }), mine(step.sums), mine(step.counts), mine(step.lists))
      .total
  })
  expect(whole.total).toBeCloseTo((alone[0] + alone[1] + alone[2]) / 3, 12)
})

describe('edges', () => {
  const zeros = (n: number) => new Array(n).fill(0)

  test('no lists, no pairs, no weights: 0, with zero gradients', () => {
    const none = runLoss(clha(), [], [], [])
    expect([none.total, none.parts.rank_loss, none.parts.sft_loss]).toEqual([0, 0, 0])
    const shut: LossList = {
      pairs: allPairs(3).pairs.map((p) => ({ ...p, weight: 0 })),
      sft: { index: 1, weight: 0, group: 0 },
    }
    for (const dtype of ['f32', 'f64'] as const) {
      const found = runLoss(clha(), [[-5, -6, -7]], [[4, 5, 6]], [shut], { dtype })
      expect(found.parts).toEqual({ rank_loss: 0, sft_loss: expect.closeTo(0, 20) })
      expect(found.gradient.map(Math.abs)).toEqual(zeros(3))
    }
  })

  test('gates shut, pairs at work: the rank term alone', () => {
    const shut: LossList = { ...allPairs(2), sft: { index: 0, weight: 0, group: 0 } }
    const found = runLoss(clha(), [[-4, -2]], [[2, 2]], [shut])
    expect(found.total).toBe(2) // 1 - (-2 + 1)
    expect(found.parts.sft_loss).toBeCloseTo(0, 20)
    expect(found.gradient).toEqual([-0.5, 0.5])
  })

  test('an answer without scored tokens poisons nothing', () => {
    const found = runLoss(clha(), [[-4, 0]], [[2, 0]], [allPairs(2)])
    expect(found.parts.rank_loss).toBe(3) // 1 - (-2 - 0)
    expect(found.gradient.every(Number.isFinite)).toBe(true)
    const only = runLoss(clha(), [[0, -4]], [[0, 2]], [{ pairs: [], sft: { index: 0, weight: 1, group: 0 } }])
    expect(only.total).toBeCloseTo(0, 20)
    expect(only.gradient.every(Number.isFinite)).toBe(true)
  })

  test('a hinge exactly at the margin is 0 and passes the gradient', () => {
    const found = runLoss(
      clha(),
      [[-2, -4]],
      [[2, 2]],
      [{ ...allPairs(2), sft: { index: 0, weight: 0, group: 0 } }],
    )
    expect(found.parts.rank_loss).toBe(0)
    expect(found.partGradients.rank_loss).toEqual([-0.5, 0.5])
  })

  test('beyond the margin the gradient is 0', () => {
    const found = runLoss(clha(), [[-2, -5]], [[2, 2]], [allPairs(2)])
    expect(found.partGradients.rank_loss).toEqual([0, 0])
  })

  test('log-probabilities of -1e4 and +1e4 stay finite', () => {
    for (const dtype of ['f32', 'f64'] as const) {
      const found = runLoss(
        clha(),
        [
          [-1e4, 1e4],
          [1e4, -1e4],
        ],
        [
          [1, 1],
          [10, 2],
        ],
        [allPairs(2), allPairs(2)],
        { dtype },
      )
      expect(found.parts.rank_loss).toBe(20001 / 2)
      expect(found.parts.sft_loss).toBe(0)
      expect(found.gradient).toEqual([-0.5 - 1 / 11, 0.5, -1 / 11, 0].map((x) => expect.closeTo(x, 6)))
    }
  })

  test('lists of 1 to 6 answers in one step: a single answer has an SFT term and no pairs', () => {
    const lists = [1, 2, 3, 4, 5, 6].map((n) => allPairs(n))
    expect(lists.map((l) => l.pairs.length)).toEqual([0, 1, 3, 6, 10, 15])
    const sums = lists.map((_, i) => zeros(i + 1).map((_, k) => -(k + 1) * 4))
    const counts = sums.map((row) => row.map(() => 4)) // s = -1, -2, …: every gap is at least the margin
    const found = runLoss(clha(), sums, counts, lists)
    expect(found.parts).toEqual({ rank_loss: 0, sft_loss: expect.closeTo(1, 14) })
    const closer = runLoss(clha({ ...CLHA_DEFAULTS, margin: 2 }), sums, counts, lists)
    expect(closer.parts.rank_loss).toBeCloseTo((1 + 2 + 3 + 4 + 5) / 35, 14)
  })

  test('pairs may point against the order of the list', () => {
    const list: LossList = {
      pairs: [{ better: 1, worse: 0, distance: 1, weight: 0.5, group: 0 }],
      sft: { index: 1, weight: 1, group: 0 },
    }
    const found = runLoss(clha(), [[-2, -6]], [[2, 2]], [list])
    expect(found.parts).toEqual({ rank_loss: 3, sft_loss: 3 })
  })

  test('denominators that lack a group leave its terms out', () => {
    const found = runLoss(clha(), [[-4, -2]], [[2, 2]], [allPairs(2, 9)], {
      denominators: { pairs: new Map(), sft: new Map() },
    })
    expect(Math.abs(found.total)).toBe(0)
  })
})

test('SFT: mean negative log-likelihood per token over all lists, whatever their gates', () => {
  const lists: LossList[] = [
    { ...allPairs(2), sft: { index: 1, weight: 0, group: 4 } },
    { pairs: [], sft: { index: 0, weight: 0.2, group: 7 } },
  ]
  const found = runLoss(sft, [[-9, -6], [-10]], [[3, 2], [6]], lists)
  expect(found.total).toBe(16 / 8)
  expect(found.gradient.map((x) => x + 0)).toEqual([0, -0.125, -0.125])
  scope(() => expect(sftDenominators(lists, [[3, 2], [6]]).sft).toEqual(new Map([[0, 8]])))
})
