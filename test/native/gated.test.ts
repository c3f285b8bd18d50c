import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { f64, ops, scope } from '../../src/tensor/index.js'
import { centralDifferences, normal, relative, valueAndGradients } from '../helpers/numbers.js'
import { largest, weighted } from './attention-difference.js'

const KERNELS = [
  ['swiglu', ops.swiglu, ops.swigluComposed],
  ['geglu', ops.geglu, ops.gegluComposed],
] as const

test.each(KERNELS)('%s and its gradients are those of the composition', (_, own, composed) => {
  scope(() => {
    const random = createRandom('gated')
    for (const dtype of ['f64', 'f32'] as const) {
      for (const shape of [[1, 1], [3, 7], [130, 33], [2, 3, 17], [5], [0, 4], [64, 600]]) {
        const inputs = [normal(random, shape, dtype), normal(random, shape, dtype)]
        const weights = normal(random, shape, dtype)
        const run = (kernel: typeof own) =>
          valueAndGradients(
            inputs,
            ([gate, up]) => kernel(gate, up),
            () => weights,
          )
        expect(largest(run(own), run(composed))).toBeLessThan(dtype === 'f64' ? 1e-13 : 2e-6)
      }
    }
  })
})

test.each(KERNELS)('%s: gradients agree with central differences', (_, own) => {
  scope(() => {
    const random = createRandom('differences')
    const shape = [2, 5]
    const inputs = [normal(random, shape), normal(random, shape)]
    const weights = normal(random, shape)
    const found = valueAndGradients(
      inputs,
      ([gate, up]) => own(gate, up),
      () => weights,
    )
    inputs.forEach((input, which) => {
      const expected = centralDifferences(input.numbers(), (values) => {
        const [gate, up] = inputs.map((t, i) => (i === which ? f64(values, shape) : t))
        return weighted(own(gate, up), weights)
      })
      expect(relative(found.gradients[which], expected)).toBeLessThan(1e-8)
    })
  })
})

test.each(KERNELS)('%s: bf16 is rounded once, from the value in f32', (_, own, composed) => {
  scope(() => {
    const random = createRandom('half')
    const [gate, up] = [0, 1].map(() => ops.to(normal(random, [9, 700], 'f32'), 'bf16'))
    const wide = composed(ops.to(gate, 'f32'), ops.to(up, 'f32'))
    const found = own(gate, up)
    expect(found.dtype).toBe('bf16')
    expect(
      relative(ops.to(found, 'f32').numbers(), ops.to(ops.to(wide, 'bf16'), 'f32').numbers()),
    ).toBeLessThan(2 ** -8)
  })
})

test.each(KERNELS)('%s: halves of one fused projection need no copy', (_, own) => {
  scope(() => {
    const random = createRandom('halves')
    const both = normal(random, [6, 10])
    const weights = normal(random, [6, 5])
    const run = (copy: boolean) =>
      valueAndGradients(
        [both],
        ([t]) => {
          const [gate, up] = ops.split(t, [5, 5], 1).map((p) => (copy ? ops.clone(p) : p))
          return own(gate, up)
        },
        () => weights,
      )
    expect(largest(run(false), run(true))).toBe(0)
  })
})

test('by hand, and far out', () => {
  scope(() => {
    const silu = ops.swiglu(f64([1, 0, -800, 800], [1, 4]), f64([2, 3, 1, 1], [1, 4])).numbers()
    expect(silu[0]).toBeCloseTo(2 / (1 + Math.exp(-1)), 14)
    expect(silu.slice(1)).toEqual([0, -0, 800])
    const gelu = ops.geglu(f64([1, -60, 60], [1, 3]), f64([2, 1, 1], [1, 3])).numbers()
    expect(gelu[0]).toBeCloseTo(1 + Math.tanh(Math.sqrt(2 / Math.PI) * 1.044715), 14)
    expect(gelu.slice(1)).toEqual([-0, 60])
    expect(() => ops.swiglu(f64([1]), f64([1, 2]))).toThrow('gate and up [..., F]')
  })
})
