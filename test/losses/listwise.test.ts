import { describe, expect, test } from 'vitest'
import { proDenominators, proLoss } from '../../src/losses/pro.js'
import { rrhfDenominators, rrhfLoss } from '../../src/losses/rrhf.js'
import type { LossList } from '../../src/losses/types.js'
import { createRandom } from '../../src/random.js'
import { f64 } from '../../src/tensor/index.js'
import { centralDifferences, relative } from '../helpers/numbers.js'
import { byReward, type Loss, offsetsOf, runLoss } from './lists.js'

const pro =
  (epsilon: number, sftWeight = 0.05): Loss =>
  (scores, lists, denominators) =>
    proLoss(scores, lists, { sftWeight, epsilon }, denominators)
const rrhf =
  (nll: 'sum' | 'mean'): Loss =>
  (scores, lists, denominators) =>
    rrhfLoss(scores, lists, { rankWeight: 1, sftWeight: 1, nll }, denominators)

function randomStep(seed: string) {
  const random = createRandom(seed)
  const sizes = [1, 2, 3, 4, 6, 2]
  const draw = (from: () => number) => sizes.map((n) => Array.from({ length: n }, from))
  const lists = draw(() => 3 * random.normal())
    .map(byReward)
    .map((list): LossList => {
      const pairs = list.pairs.map((p) => ({ ...p, weight: random.int(4) === 0 ? 0 : random.next() }))
      return { pairs, sft: { ...list.sft, weight: random.next() } }
    })
  return { sums: draw(() => -20 * random.next()), counts: draw(() => 1 + random.int(9)), lists }
}

const LOSSES: [string, Loss, typeof proDenominators][] = [
  ['pro', pro(0), proDenominators],
  ['pro, 1e-10 in the denominator', pro(1e-10), proDenominators],
  ['rrhf, sum', rrhf('sum'), rrhfDenominators],
  ['rrhf, mean', rrhf('mean'), rrhfDenominators],
]

describe.each(LOSSES)('%s', (name, loss, denominatorsOf) => {
  test('the gradient agrees with central differences', () => {
    const step = randomStep(name)
    const found = runLoss(loss, step.sums, step.counts, step.lists).gradient
    const offsets = offsetsOf(step.counts)
    const value = (sum: number[]) =>
      loss({ sum: f64(sum), counts: step.counts.flat(), offsets }, step.lists).total.item()
    expect(relative(found, centralDifferences(step.sums.flat(), value))).toBeLessThan(1e-7)
  })

  test('no result changes with the split into micro-batches or the order of lists', () => {
    const step = randomStep(`${name} split`)
    const whole = runLoss(loss, step.sums, step.counts, step.lists)
    const denominators = denominatorsOf(step.lists, step.counts)
    const alone = [4, 2, 0, 5, 1, 3].map((i) => ({
      i,
      ...runLoss(loss, [step.sums[i]], [step.counts[i]], [step.lists[i]], { denominators }),
    }))
    expect(relative([alone.reduce((sum, p) => sum + p.total, 0)], [whole.total])).toBeLessThan(1e-13)
    const ordered = alone.sort((a, b) => a.i - b.i).flatMap((p) => p.gradient)
    expect(relative(ordered, whole.gradient)).toBeLessThan(1e-12)
  })

  test('candidates may stand in any order', () => {
    const step = randomStep(`${name} order`)
    const whole = runLoss(loss, step.sums, step.counts, step.lists)
    const reversed = (rows: number[][]) => rows.map((row) => row.toReversed())
    const mirrored = step.lists.map(({ pairs, sft }, i): LossList => {
      const at = (index: number) => step.sums[i].length - 1 - index
      return {
        pairs: pairs.map((p) => ({ ...p, better: at(p.better), worse: at(p.worse) })).reverse(),
        sft: { ...sft, index: at(sft.index) },
      }
    })
    const other = runLoss(loss, reversed(step.sums), reversed(step.counts), mirrored)
    expect(relative([other.total], [whole.total])).toBeLessThan(1e-13)
  })

  test('log-probabilities of +-1e4 and large gaps stay finite', () => {
    for (const dtype of ['f32', 'f64'] as const) {
      const sums = [
        [-1e4, 1e4],
        [1e4, -1e4, -1e4],
        [0, 0],
      ]
      const lists = [byReward([1, 0]), byReward([100, -100, -50]), byReward([36.7, 0])]
      const found = runLoss(
        loss,
        sums,
        sums.map((row) => row.map(() => 1)),
        lists,
        { dtype },
      )
      expect(Number.isFinite(found.total)).toBe(true)
      expect(found.gradient.every(Number.isFinite)).toBe(true)
    }
  })

  test('single answers, ties and empty masks have no ranking term', () => {
    const tie = byReward([1, 1])
    const shut: LossList = {
      ...byReward([2, 1]),
      pairs: byReward([2, 1]).pairs.map((p) => ({ ...p, weight: 0 })),
    }
    const found = runLoss(loss, [[-3], [-4, -5], [-6, -7]], [[2], [2, 2], [2, 2]], [byReward([1]), tie, shut])
    expect(Math.abs(found.parts.rank_loss)).toBe(0)
    expect(found.partGradients.rank_loss.every((g) => Math.abs(g) === 0)).toBe(true)
    const none = runLoss(loss, [], [], [])
    expect(Math.abs(none.total)).toBe(0)
  })
})

test('PRO with two answers is the logistic loss of the gap-scaled margin', () => {
  const found = runLoss(pro(0, 0), [[-6, -4]], [[3, 4]], [byReward([1.5, 0])])
  // s = -2 and -1, t = 1.5 for both
  expect(found.total).toBeCloseTo(Math.log(1 + Math.exp(1.5)), 14)
})
