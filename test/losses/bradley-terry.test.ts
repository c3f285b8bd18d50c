import { expect, test } from 'vitest'
import { bradleyTerryDenominators, bradleyTerryLoss } from '../../src/losses/bradley-terry.js'
import type { LossList } from '../../src/losses/types.js'
import { createRandom } from '../../src/random.js'
import { f64 } from '../../src/tensor/index.js'
import { centralDifferences, relative } from '../helpers/numbers.js'
import { allPairs, type Loss, offsetsOf, runLoss } from './lists.js'

const withOptions =
  (centerRewardsCoefficient: number, margins?: readonly number[]): Loss =>
  (scores, lists, denominators) =>
    bradleyTerryLoss(scores, lists, { centerRewardsCoefficient, margins }, denominators)

test('by hand: equal rewards cost ln 2, and centering adds coefficient * (a + b)^2', () => {
  const found = runLoss(withOptions(0.5), [[3, 3]], [[1, 1]], [allPairs(2)])
  expect(found.total).toBeCloseTo(Math.LN2 + 0.5 * 36, 12)
  expect(found.parts.center_loss).toBe(18)
  expect(found.gradient).toEqual([-0.5 + 6, 0.5 + 6])
})

test('gradients of weighted pairs over lists of mixed length agree with central differences', () => {
  const random = createRandom('bt')
  const rewards = [2, 3, 1, 5].map((n) => Array.from({ length: n }, () => random.normal()))
  const lists = rewards.map((r): LossList => {
    const all = allPairs(r.length)
    return { ...all, pairs: all.pairs.map((p) => ({ ...p, weight: random.next() })) }
  })
  const margins = lists.flatMap((l) => l.pairs.map(() => random.next()))
  const run = withOptions(0.1, margins)
  const found = runLoss(run, rewards, rewards, lists).gradient
  const value = (sum: number[]) =>
    run({ sum: f64(sum), counts: sum, offsets: offsetsOf(rewards) }, lists).total.item()
  expect(relative(found, centralDifferences(rewards.flat(), value))).toBeLessThan(1e-9)
})

test('no result changes with the split into micro-batches', () => {
  const random = createRandom('split')
  const rewards = [2, 3, 4, 2].map((n) => Array.from({ length: n }, () => random.normal()))
  const lists = rewards.map((r) => allPairs(r.length))
  const denominators = bradleyTerryDenominators(lists)
  expect(denominators.pairs).toEqual(new Map([[0, 1 + 3 + 6 + 1]]))
  const whole = runLoss(withOptions(0.2), rewards, rewards, lists)
  const parts = rewards.map((r, i) => runLoss(withOptions(0.2), [r], [r], [lists[i]], { denominators }))
  expect(relative([parts.reduce((a, p) => a + p.total, 0)], [whole.total])).toBeLessThan(1e-12)
  expect(
    relative(
      parts.flatMap((p) => p.gradient),
      whole.gradient,
    ),
  ).toBeLessThan(1e-12)
})

test('no pairs: 0 with zero gradients; huge gaps stay finite', () => {
  const single = runLoss(withOptions(0), [[2]], [[1]], [allPairs(1)])
  expect([Math.abs(single.total), single.gradient]).toEqual([0, [0]])
  const huge = runLoss(withOptions(0), [[-1e4, 1e4]], [[1, 1]], [allPairs(2)])
  expect(huge.total).toBe(2e4)
  expect(huge.gradient).toEqual([-1, 1])
  const won = runLoss(withOptions(0), [[1e4, -1e4]], [[1, 1]], [allPairs(2)])
  expect(Math.abs(won.total)).toBe(0)
})
