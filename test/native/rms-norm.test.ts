import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { f32, f64, gradients, ops, requiresGrad, scope, type Tensor } from '../../src/tensor/index.js'
import { centralDifferences, normal, relative, valueAndGradients } from '../helpers/numbers.js'
import { largest, weighted } from './attention-difference.js'

test('value and both gradients are those of the composition, with gains as they are and less one', () => {
  scope(() => {
    const random = createRandom('norm')
    for (const dtype of ['f64', 'f32'] as const) {
      for (const shape of [[1, 1], [3, 7], [130, 33], [4, 3, 16], [5], [0, 4], [70, 576]]) {
        for (const offset of [0, 1]) {
          const inputs = [normal(random, shape, dtype), normal(random, shape.slice(-1), dtype)]
          const weights = normal(random, shape, dtype)
          const run = (kernel: typeof ops.rmsNorm) =>
            valueAndGradients(
              inputs,
              ([x, w]) => kernel(x, w, 1e-5, offset),
              () => weights,
            )
          const limit = dtype === 'f64' ? 1e-12 : 1e-5
          expect(largest(run(ops.rmsNorm), run(ops.rmsNormComposed))).toBeLessThan(limit)
        }
      }
    }
  })
})

test('by hand: 3 and 4 have a mean square of 12.5', () => {
  scope(() => {
    const out = ops.rmsNorm(f64([3, 4], [1, 2]), f64([1, -2]), 0, 1).numbers()
    expect(out[0]).toBeCloseTo((2 * 3) / Math.sqrt(12.5), 14)
    expect(out[1]).toBeCloseTo(-4 / Math.sqrt(12.5), 14)
    expect(ops.rmsNorm(f64([0, 0], [1, 2]), null, 1e-6).numbers()).toEqual([0, 0])
  })
})

test('gradients agree with central differences', () => {
  scope(() => {
    const random = createRandom('differences')
    const shapes = [[3, 5], [5]]
    const inputs = shapes.map((shape) => normal(random, shape))
    const weights = normal(random, shapes[0])
    const apply = ([x, w]: Tensor[]) => ops.rmsNorm(x, w, 0.1, 1)
    const found = valueAndGradients(inputs, apply, () => weights)
    inputs.forEach((input, which) => {
      const expected = centralDifferences(input.numbers(), (values) =>
        weighted(apply(inputs.map((t, i) => (i === which ? f64(values, shapes[i]) : t))), weights),
      )
      expect(relative(found.gradients[which], expected)).toBeLessThan(1e-8)
    })
  })
})

test('what needs no gradient gets none, and the other is the same', () => {
  scope(() => {
    const random = createRandom('one')
    const values = [normal(random, [40, 6]), normal(random, [6])]
    const run = (wanted: number[]) => {
      const [x, w] = values.map((t, i) => (wanted.includes(i) ? requiresGrad(ops.clone(t)) : t))
      const leaves = wanted.map((i) => [x, w][i])
      return gradients([ops.sum(ops.rmsNorm(x, w))], leaves).map((g) => g!.numbers())
    }
    const [dx, dw] = run([0, 1])
    expect(run([0])).toEqual([dx])
    expect(run([1])).toEqual([dw])
  })
})

test('bf16: sums in f32, rounded once', () => {
  scope(() => {
    const random = createRandom('half')
    const [x, w] = [normal(random, [9, 700], 'f32'), normal(random, [700], 'f32')].map((t) =>
      ops.to(t, 'bf16'),
    )
    const run = (a: Tensor, b: Tensor, kernel: typeof ops.rmsNorm) => {
      const leaves = [requiresGrad(ops.clone(a)), requiresGrad(ops.clone(b))]
      const value = kernel(leaves[0], leaves[1], 1e-6, 1)
      const found = gradients([ops.sum(ops.square(ops.to(value, 'f32')))], leaves) as Tensor[]
      return [value, ...found].map((t) => ops.to(t, 'f32').numbers())
    }
    const half = run(x, w, ops.rmsNorm)
    const wide = run(ops.to(x, 'f32'), ops.to(w, 'f32'), ops.rmsNormComposed)
    half.forEach((found, i) => {
      expect(relative(found, wide[i])).toBeLessThan(2 ** -7)
    })
  })
})

test('the same bits however threads share the rows; other shapes are refused', () => {
  scope(() => {
    const random = createRandom('bits')
    const x = requiresGrad(normal(random, [300, 16], 'f32'))
    const w = requiresGrad(normal(random, [16], 'f32'))
    const run = () => gradients([ops.sum(ops.square(ops.rmsNorm(x, w)))], [x, w]).map((g) => g!.numbers())
    const once = run()
    for (let i = 0; i < 5; i++) expect(run()).toEqual(once)
    expect(() => ops.rmsNorm(f32([1, 2, 3]), f32([1, 2]))).toThrow('rms_norm: x [..., D], weight [D]')
  })
})
