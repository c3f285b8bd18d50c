import { describe, expect, test } from 'vitest'
import { bcoTerm, updatedMean } from '../../src/losses/bco.js'
import { ktoFacts, ktoTerm } from '../../src/losses/kto.js'
import type { LossList, StepFacts } from '../../src/losses/types.js'
import { type UnpairedOptions, unpairedDenominators, unpairedLoss } from '../../src/losses/unpaired.js'
import { createRandom } from '../../src/random.js'
import { f64 } from '../../src/tensor/index.js'
import { centralDifferences, relative } from '../helpers/numbers.js'
import { type Loss, offsetsOf, runLoss } from './lists.js'

const row = (desirable: boolean, weight = 1): LossList => ({
  pairs: [],
  sft: { index: 0, weight: 0, group: 0 },
  rows: [{ index: 0, desirable, weight, group: 0 }],
})

const loss =
  (options: UnpairedOptions, facts?: StepFacts): Loss =>
  (scores, lists, given) => {
    const counts = scores.offsets.slice(1).map((end, i) => scores.counts.slice(scores.offsets[i], end))
    return unpairedLoss(scores, lists, options, given ?? { ...unpairedDenominators(lists, counts), facts })
  }

const plain = { desirableWeight: 1, undesirableWeight: 1, sftWeight: 0 }

test('the estimate of the KL divergence is never negative, and 0 without mismatched answers', () => {
  expect(ktoFacts([-3, 1])).toEqual({ shift: 0, metrics: { kl: 0 } })
  expect(ktoFacts([])).toEqual({ shift: 0, metrics: { kl: 0 } })
})

test('BCO by hand: beta D = 0.4 and -0.2, delta = 0.1', () => {
  const run = loss({ ...plain, term: bcoTerm({ beta: 0.2 }) }, { shift: 0.1, metrics: {} })
  const found = runLoss(run, [[-3], [-5]], [[2], [2]], [row(true), row(false)], { reference: [-5, -4] })
  expect(found.total).toBeCloseTo((Math.log(1 + Math.exp(-0.3)) + Math.log(1 + Math.exp(-0.3))) / 2, 14)
})

test('the running mean is the mean of all that it has seen', () => {
  const first = updatedMean({ mean: 0, count: 0 }, [1, 2, 6])
  expect(first).toEqual({ mean: 3, count: 3 })
  expect(updatedMean(first, [7])).toEqual({ mean: 4, count: 4 })
  expect(updatedMean(first, [])).toEqual(first)
})

const TERMS: [string, UnpairedOptions, StepFacts][] = [
  [
    'kto',
    { ...plain, desirableWeight: 1.3, sftWeight: 0.4, term: ktoTerm({ beta: 0.3 }) },
    { shift: 0.7, metrics: {} },
  ],
  ['bco', { ...plain, undesirableWeight: 0.6, term: bcoTerm({ beta: 0.3 }) }, { shift: -0.2, metrics: {} }],
]

function randomStep(seed: string) {
  const random = createRandom(seed)
  const sizes = [1, 2, 3, 1, 2]
  const draw = (from: () => number) => sizes.map((n) => Array.from({ length: n }, from))
  return {
    sums: draw(() => -9 * random.next()),
    counts: draw(() => 1 + random.int(8)),
    reference: draw(() => -9 * random.next()),
    lists: sizes.map(
      (n): LossList => ({
        pairs: [],
        sft: { index: random.int(n), weight: random.next(), group: 0 },
        rows: Array.from({ length: n }, (_, index) => ({
          index,
          desirable: random.int(2) === 0,
          weight: random.int(4) === 0 ? 0 : random.next(),
          group: 0,
        })),
      }),
    ),
  }
}

describe.each(TERMS)('%s', (name, options, facts) => {
  const run = loss(options, facts)

  test('the gradient agrees with central differences', () => {
    const step = randomStep(name)
    const reference = step.reference.flat()
    const found = runLoss(run, step.sums, step.counts, step.lists, { reference }).gradient
    const offsets = offsetsOf(step.counts)
    const value = (sum: number[]) =>
      run({ sum: f64(sum), counts: step.counts.flat(), offsets, reference }, step.lists).total.item()
    expect(relative(found, centralDifferences(step.sums.flat(), value))).toBeLessThan(1e-8)
  })

  test('no result changes with the split into micro-batches or the order of the lists', () => {
    const step = randomStep(`${name} split`)
    const whole = runLoss(run, step.sums, step.counts, step.lists, { reference: step.reference.flat() })
    const denominators = { ...unpairedDenominators(step.lists, step.counts), facts }
    const one = (i: number) =>
      runLoss(run, [step.sums[i]], [step.counts[i]], [step.lists[i]], {
        denominators,
        reference: step.reference[i],
      })
    const alone = [3, 0, 4, 2, 1].map((i) => ({ i, ...one(i) }))
    expect(alone.reduce((sum, p) => sum + p.total, 0)).toBeCloseTo(whole.total, 13)
    const ordered = alone.sort((a, b) => a.i - b.i).flatMap((p) => p.gradient)
    expect(relative(ordered, whole.gradient)).toBeLessThan(1e-13)
  })

  test('log-probabilities of +-1e4 stay finite; no rows give 0', () => {
    const values = [[-1e4], [1e4], [-1e4], [1e4]]
    const lists = [row(true), row(true), row(false), row(false)]
    for (const dtype of ['f32', 'f64'] as const) {
      const found = runLoss(
        run,
        values,
        values.map(() => [3]),
        lists,
        { dtype, reference: [0, 0, 0, 0] },
      )
      expect(Number.isFinite(found.total)).toBe(true)
      expect(found.gradient.every(Number.isFinite)).toBe(true)
    }
    const none = runLoss(run, [[-3]], [[2]], [row(true, 0)], { reference: [-2] })
    expect(Math.abs(none.total)).toBe(0)
    expect(Math.abs(none.gradient[0])).toBe(0)
  })
})
