import { expect, test } from 'vitest'
import { inverseFrequencies, type Llama3Scaling, RotaryTables } from '../../src/nn/rotary.js'
import { createRandom } from '../../src/random.js'
import { f64, i64, native, ops, scope, type Tensor } from '../../src/tensor/index.js'
import { centralDifferences, normal, relative, valueAndGradients } from '../helpers/numbers.js'

type Kernel = (x: Tensor, cos: Tensor, sin: Tensor) => Tensor

test('forward and gradient are those of the composed form, also where only a part of the head is rotated', () => {
  scope(() => {
    const random = createRandom('rotary')
    for (const dtype of ['f32', 'f64'] as const) {
      for (const [rows, heads, width, rotated] of [
        [5, 3, 8, 8],
        [130, 2, 10, 4],
        [1, 1, 2, 2],
        [4, 2, 6, 0],
        [0, 2, 4, 4],
      ]) {
        const x = normal(random, [rows, heads, width], dtype)
        const angle = normal(random, [rows, rotated / 2], 'f64').numbers()
        const table = (fn: (a: number) => number) => ops.to(f64(angle.map(fn), [rows, rotated / 2]), dtype)
        const [cos, sin] = [table(Math.cos), table(Math.sin)]
        const weights = normal(random, x.shape, dtype)
        const run = (kernel: Kernel) =>
          valueAndGradients(
            [x],
            ([t]) => kernel(t, cos, sin),
            () => weights,
          )
        const [own, composed] = [run(ops.rotary), run(ops.rotaryComposed)]
        expect(relative(own.value, composed.value)).toBeLessThan(dtype === 'f64' ? 1e-14 : 1e-6)
        expect(relative(own.gradients[0], composed.gradients[0])).toBeLessThan(dtype === 'f64' ? 1e-14 : 1e-6)
      }
    }
  })
})

test('pairs are (i, i + d/2): a quarter turn moves the first half to the second', () => {
  scope(() => {
    const out = ops.rotary(f64([1, 2, 3, 4, 5], [1, 1, 5]), f64([0, 0], [1, 2]), f64([1, 1], [1, 2]))
    expect(out.numbers()).toEqual([-3, -4, 1, 2, 5])
  })
})

test('the gradient agrees with central differences', () => {
  scope(() => {
    const random = createRandom('differences')
    const x = normal(random, [2, 2, 5])
    const [cos, sin] = [normal(random, [2, 2]), normal(random, [2, 2])]
    const weights = normal(random, [2, 2, 5])
    const found = valueAndGradients(
      [x],
      ([t]) => ops.rotary(t, cos, sin),
      () => weights,
    ).gradients[0]
    const expected = centralDifferences(x.numbers(), (values) =>
      ops.sum(ops.mul(ops.rotary(f64(values, [2, 2, 5]), cos, sin), weights)).item(),
    )
    expect(relative(found, expected)).toBeLessThan(1e-9)
  })
})

test('frequencies: theta^(-2i/d), and the three bands of llama3 scaling', () => {
  expect(inverseFrequencies({ theta: 100, dimensions: 4 })).toEqual([1, 0.1])
  const scaling: Llama3Scaling = {
    type: 'llama3',
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  }
  const plain = inverseFrequencies({ theta: 500000, dimensions: 128 })
  const scaled = inverseFrequencies({ theta: 500000, dimensions: 128, scaling })
  scaled.forEach((f, i) => {
    const turns = (8192 * plain[i]) / (2 * Math.PI)
    if (turns > 4) expect(f).toBe(plain[i])
    else if (turns < 1) expect(f).toBe(plain[i] / 8)
    else expect(f > plain[i] / 8 && f < plain[i]).toBe(true)
  })
  // halfway through the band in turns: the mean of both
  const halfway = inverseFrequencies({
    theta: 1,
    dimensions: 2,
    scaling: { ...scaling, originalMaxPositions: 5 * Math.PI },
  })
  expect(halfway[0]).toBeCloseTo((1 + 1 / 8) / 2, 14)
})

test('tables grow with the stream, keep what they had, and hold two tensors', () => {
  const before = native().memory().tensors
  const tables = new RotaryTables({ theta: 10000, dimensions: 8 }, 'f64')
  const rows = (positions: number[]) =>
    scope(() => {
      const { cos, sin } = tables.at(i64(positions), Math.max(...positions) + 1)
      return { cos: cos.numbers(), sin: sin.numbers() }
    })
  const short = rows([3])
  const long = rows([1000, 3])
  expect(long.cos.slice(4)).toEqual(short.cos)
  expect(long.sin[0]).toBeCloseTo(Math.sin(1000), 12)
  expect(long.cos[1]).toBeCloseTo(Math.cos(100), 12)
  expect(native().memory().tensors).toBe(before + 2)
  tables.dispose()
  expect(native().memory().tensors).toBe(before)
  const again = rows([3])
  expect(again).toEqual(short)
  tables.dispose()
})
