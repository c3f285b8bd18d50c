import { describe, expect, test } from 'vitest'
import { infoNcaDenominators, infoNcaLoss } from '../../src/losses/infonca.js'
import type { LossList } from '../../src/losses/types.js'
import { createRandom } from '../../src/random.js'
import { centralDifferences, relative } from '../helpers/numbers.js'
import { byReward, type Loss, offsetsOf, runLoss } from './lists.js'

type Kind = 'infonca' | 'nca'
const KINDS: Kind[] = ['infonca', 'nca']
const [beta, gapScale] = [0.4, 0.7]

const lossOf =
  (kind: Kind, sftWeight = 0): Loss =>
  (scores, lists, denominators) =>
    infoNcaLoss(scores, lists, { beta, gapScale, kind, sftWeight }, denominators)

const random = createRandom('infonca')
const sizes = [1, 2, 3, 4, 6, 2]
const draw = (from: () => number) => sizes.map((n) => Array.from({ length: n }, from))
const rewards = draw(() => 2 * random.normal())
const weights = sizes.map(() => 0.2 + random.next())
const lists = rewards.map((row, i): LossList => {
  const { pairs, sft } = byReward(row)
  return { pairs: pairs.map((p) => ({ ...p, weight: weights[i] })), sft: { ...sft, weight: random.next() } }
})
const sums = draw(() => -20 * random.next())
const counts = draw(() => 1 + random.int(9))
const reference = sums.map((row) => row.map((s) => s + 4 * random.next() - 2))
const offsets = offsetsOf(sums)

/** From rewards, in plain numbers. */
function formula(flat: readonly number[], kind: Kind): number {
  let [sum, total] = [0, 0]
  rewards.forEach((row, i) => {
    if (row.length < 2) return
    const raised = row.map((r) => Math.exp(gapScale * r))
    const all = raised.reduce((a, b) => a + b, 0)
    const x = row.map((_, k) => beta * (flat[offsets[i] + k] - reference[i][k]))
    const logSum = Math.log(x.reduce((a, v) => a + Math.exp(v), 0))
    const nll = (v: number) => Math.log(1 + Math.exp(-v))
    const of =
      kind === 'infonca'
        ? x.reduce((a, v, k) => a - (raised[k] / all) * (v - logSum), 0)
        : x.reduce((a, v, k) => a + (raised[k] / all) * nll(v) + nll(-v) / row.length, 0)
    sum += weights[i] * of
    total += weights[i]
  })
  return sum / total
}

describe.each(KINDS)('%s', (kind) => {
  const options = { reference: reference.flat() }

  test('is the value and the gradient of an independent formula', () => {
    const found = runLoss(lossOf(kind), sums, counts, lists, options)
    expect(relative([found.total], [formula(sums.flat(), kind)])).toBeLessThan(1e-10)
    const moved = centralDifferences(sums.flat(), (s) => formula(s, kind))
    expect(relative(found.gradient, moved)).toBeLessThan(1e-7)
  })

  test('no result changes with the split into micro-batches', () => {
    const loss = lossOf(kind, 0.3)
    const whole = runLoss(loss, sums, counts, lists, options)
    const denominators = infoNcaDenominators(lists, counts)
    const alone = sums.map((row, i) =>
      runLoss(loss, [row], [counts[i]], [lists[i]], { denominators, reference: reference[i] }),
    )
    expect(relative([alone.reduce((a, p) => a + p.total, 0)], [whole.total])).toBeLessThan(1e-13)
    expect(
      relative(
        alone.flatMap((p) => p.gradient),
        whole.gradient,
      ),
    ).toBeLessThan(1e-12)
  })

  test('log-probabilities of +-1e4, single answers and pairs without weight: finite, and nothing of nothing', () => {
    const extreme = [
      [-1e4, 1e4],
      [1e4, -1e4, 0],
    ]
    const far = [byReward([1, 0]), byReward([60, -60, 0])]
    const tokens = extreme.map((row) => row.map(() => 2))
    for (const dtype of ['f32', 'f64'] as const) {
      const found = runLoss(lossOf(kind), extreme, tokens, far, {
        dtype,
        reference: extreme.flat().map(() => -10),
      })
      expect([found.total, ...found.gradient].every(Number.isFinite)).toBe(true)
    }
    const shut = { ...byReward([2, 1]), pairs: byReward([2, 1]).pairs.map((p) => ({ ...p, weight: 0 })) }
    const none = runLoss(lossOf(kind), [[-3], [-4, -5]], [[2], [2, 2]], [byReward([1]), shut], {
      reference: [0, 0, 0],
    })
    expect(Math.abs(none.total)).toBe(0)
    expect(none.gradient.every((g) => Math.abs(g) === 0)).toBe(true)
  })
})

test('InfoNCA with two answers is the cross-entropy of the soft label', () => {
  const found = runLoss(lossOf('infonca'), [[-1, -2]], [[2, 2]], [byReward([1, 0])], { reference: [0, 0] })
  const p = 1 / (1 + Math.exp(-gapScale))
  const q = 1 / (1 + Math.exp(-beta))
  expect(found.total).toBeCloseTo(-p * Math.log(q) - (1 - p) * Math.log(1 - q), 14)
})
