/** Bradley-Terry regression on features: a minimum, a prior that fits the labels, and no surprise where there is nothing to learn. */
import { expect, test } from 'vitest'
import { fitProbe, GROUPS } from '../../src/reward/probe-fit.js'
import { fromData, memory, scope } from '../../src/tensor/index.js'

/** Numbers that look random and are the same everywhere. */
function noise(seed: number) {
  let state = seed
  const uniform = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return (state + 0.5) / 2 ** 31
  }
  return { uniform, normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()) }
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0)

/** Pairs whose better answer is told by `truth`, up to a share of labels that are reversed. */
function pairs(count: number, truth: readonly number[], reversed = 0, seed = 1) {
  const { uniform, normal } = noise(seed)
  return Array.from({ length: count }, () => {
    const x = truth.map(() => normal())
    const sign = (dot(x, truth) > 0 ? 1 : -1) * (uniform() < reversed ? -1 : 1)
    return x.map((value) => value * sign)
  })
}

const fitted = (rows: readonly number[][], groups = rows.map((_, i) => i % GROUPS)) =>
  scope(() =>
    fitProbe({
      differences: fromData(Float64Array.from(rows.flat()), [rows.length, rows[0].length]),
      groups,
    }),
  )

const agreement = (weights: Float32Array, rows: readonly number[][]) =>
  rows.filter((row) => dot(row, weights) > 0).length / rows.length

const TRUTH = [2, -1, 0.5, 0, 0, 0, 0, 0]

test('the weights are where the penalised log loss has no slope', () => {
  const rows = pairs(200, TRUTH, 0.2)
  const { weights, priorScale } = fitted(rows)
  const width = TRUTH.length
  const spread = TRUTH.map((_, k) => Math.sqrt(rows.reduce((sum, row) => sum + row[k] ** 2, 0) / rows.length))
  const x = rows.map((row) => row.map((value, k) => value / spread[k]))
  const w = Array.from(weights, (value, k) => value * spread[k])
  for (let k = 0; k < width; k++) {
    const pull = x.reduce((sum, row) => sum + row[k] * sigmoid(-dot(row, w)), 0)
    expect((width / priorScale ** 2) * w[k]).toBeCloseTo(pull, 3)
  }
})

test('the unit of a feature does not matter, nor one that never differs', () => {
  const rows = pairs(100, TRUTH, 0.2)
  const plain = fitted(rows)
  const other = fitted(rows.map((row) => [...row.map((value) => value * 1000), 0]))
  // One feature more is one more to share the prior's variance with.
  expect(other.weights.at(-1)).toBe(0)
  const margins = [plain, other].map(({ weights }, i) =>
    rows.map((row) => dot(row, weights) * (i === 0 ? 1 : 1000)),
  )
  const [size, cross] = [dot(margins[0], margins[0]), dot(margins[0], margins[1])]
  expect(cross / Math.sqrt(size * dot(margins[1], margins[1]))).toBeGreaterThan(0.999)
})

test('what it learns holds for pairs that it did not see, with a quarter of the labels reversed', () => {
  const { weights } = fitted(pairs(1500, TRUTH, 0.25))
  expect(agreement(weights, pairs(1000, TRUTH, 0, 99))).toBeGreaterThan(0.9)
})

test('the prior is narrow where labels are coins, and wide where they are clean', () => {
  const coins = fitted(pairs(150, TRUTH, 0.5)).priorScale
  const clean = fitted(pairs(400, TRUTH, 0)).priorScale
  expect(coins).toBe(0.25)
  expect(clean).toBe(4)
})

test('many more features than pairs, one pair, and pairs of one prompt are fitted all the same', () => {
  const wide = Array.from({ length: 300 }, (_, k) => (k === 0 ? 1 : 0))
  const few = fitted(pairs(40, wide))
  expect(agreement(few.weights, pairs(40, wide))).toBe(1)
  const one = fitted([[3, -4]])
  expect(dot(one.weights, [3, -4])).toBeGreaterThan(0)
  const alone = fitted(pairs(20, TRUTH), new Array(20).fill(2))
  expect(alone.weights.every(Number.isFinite)).toBe(true)
})

test('nothing stays in memory', () => {
  const rows = pairs(50, TRUTH)
  fitted(rows)
  const before = memory().tensors
  fitted(rows)
  expect(memory().tensors).toBe(before)
})
