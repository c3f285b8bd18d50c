/** Linear layers with a weight in 8 bits, against plain operators. */
import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { f32, fromData, native, noGrad, ops, scope, type Tensor } from '../../src/tensor/index.js'
import { valueAndGradients, normal, relative } from '../helpers/numbers.js'

const { threads } = native().engine()

/** A matrix whose first row is negative, whose second is zero, whose third is far smaller than the others. */
function matrix(name: string, out: number, columns: number): Tensor {
  const weight = normal(createRandom(name), [out, columns], 'f32').data() as Float32Array
  for (let i = 0; i < columns; i++) {
    weight[i] = -Math.abs(weight[i])
    if (out > 1) weight[columns + i] = 0
    if (out > 2) weight[2 * columns + i] *= 1e-6
  }
  return fromData(weight, [out, columns])
}

test('a matrix in 8 bits: the largest of a row is ±127, every number is within half a step, a row of zeros stays one', () => {
  scope(() => {
    const weight = matrix('quantise', 7, 33)
    const [q, scale] = ops.quantizeInt8(weight)
    expect([q.dtype, q.shape, scale.dtype, scale.shape]).toEqual(['i8', [7, 33], 'f32', [7]])
    const [w, levels, steps] = [weight.numbers(), q.numbers(), scale.numbers()]
    for (let r = 0; r < 7; r++) {
      const row = levels.slice(33 * r, 33 * r + 33)
      expect(Math.max(...row.map(Math.abs))).toBe(r === 1 ? 0 : 127)
      row.forEach((level, i) => {
        expect(Math.abs(level * steps[r] - w[33 * r + i])).toBeLessThanOrEqual(steps[r] * 0.5001)
      })
    }
    expect(steps[1]).toBe(0)
  })
})

test('a row that is not finite has no scale; other rows have theirs', () => {
  scope(() => {
    const [, scale] = ops.quantizeInt8(f32([1, Number.NaN, 127, 0, 2, Number.POSITIVE_INFINITY], [3, 2]))
    expect(scale.numbers()).toEqual([Number.NaN, 1, Number.NaN])
  })
})

const SHAPES = [
  [1, 1],
  [3, 5],
  [4, 16],
  [9, 17],
  [66, 100],
  [130, 64],
] as const

test.each(SHAPES)(
  '[%i, %i]: the composition up to rounding, for 1 to 70 tokens, with a bias and without',
  (out, columns) => {
    const random = createRandom(`int8/${out}`)
    for (let tokens = 0; tokens <= 70; tokens++) {
      scope(() => {
        const x = normal(random, [tokens, columns], 'f32')
        const [q, scale] = ops.quantizeInt8(matrix(`${out}/${columns}`, out, columns))
        for (const bias of [null, normal(random, [out], 'f32')]) {
          const expected = ops.linearInt8Composed(x, q, scale, bias).numbers()
          expect(relative(ops.linearInt8(x, q, scale, bias).numbers(), expected), `${tokens}`).toBeLessThan(
            1e-5,
          )
        }
      })
    }
  },
)

test('a weight of many blocks: forward and gradients as composed', () => {
  scope(() => {
    const random = createRandom('blocks')
    const [q, scale] = ops.quantizeInt8(matrix('blocks', 700, 3001))
    const x = normal(random, [40, 3001], 'f32')
    const bias = normal(random, [700], 'f32')
    const dy = normal(random, [40, 700], 'f32')
    const of = (op: typeof ops.linearInt8) =>
      valueAndGradients(
        [x, bias],
        ([a, b]) => op(a, q, scale, b),
        () => dy,
      )
    const [found, expected] = [of(ops.linearInt8), of(ops.linearInt8Composed)]
    expect(relative(found.value, expected.value)).toBeLessThan(1e-5)
    found.gradients.forEach((grad, i) => {
      expect(relative(grad, expected.gradients[i])).toBeLessThan(1e-5)
    })
  })
})

test.each([1, 5, 21])('the gradient of x is that of finite differences, %i tokens', (tokens) => {
  scope(() => {
    const random = createRandom(`finite/${tokens}`)
    const [q, scale] = ops.quantizeInt8(matrix('finite', 6, 19))
    const [x, dy] = [normal(random, [tokens, 19], 'f32'), normal(random, [tokens, 6], 'f32')]
    const { gradients } = valueAndGradients(
      [x],
      ([a]) => ops.linearInt8(a, q, scale),
      () => dy,
    )
    const [grad] = gradients
    const value = (at: number, by: number): number =>
      scope(() => {
        const moved = Float64Array.from(x.numbers())
        moved[at] += by
        const y = ops.linearInt8Composed(fromData(moved, x.shape), q, scale)
        return ops.sum(ops.mul(y, ops.to(dy, 'f64'))).item()
      })
    for (const at of [0, 7, 19 * tokens - 1]) {
      const slope = (value(at, 1e-3) - value(at, -1e-3)) / 2e-3
      expect(grad[at]).toBeCloseTo(slope, 4)
    }
  })
})

test('the same bits for any number of threads, and for a token alone or beside others', () => {
  try {
    scope(() =>
      noGrad(() => {
        const random = createRandom('threads')
        const [q, scale] = ops.quantizeInt8(normal(random, [3001, 515], 'f32'))
        const x = normal(random, [7, 515], 'f32')
        const run = (count: number) => {
          native().setThreads(count)
          return ops.linearInt8(x, q, scale).numbers()
        }
        const one = run(1)
        expect(run(2)).toEqual(one)
        expect(run(5)).toEqual(one)
        const last = ops.linearInt8(ops.narrow(x, 0, 6, 1), q, scale).numbers()
        expect(last).toEqual(one.slice(6 * 3001))
      }),
    )
  } finally {
    native().setThreads(threads)
  }
})

test('bf16 and f64 inputs come out in their own type; other weights and shapes are refused', () => {
  scope(() => {
    const [q, scale] = ops.quantizeInt8(matrix('types', 5, 20))
    const x = normal(createRandom('x'), [3, 20], 'f32')
    const plain = ops.linearInt8(x, q, scale).numbers()
    const wide = ops.linearInt8(ops.to(x, 'f64'), q, scale)
    expect(wide.dtype).toBe('f64')
    expect(relative(wide.numbers(), plain)).toBeLessThan(1e-6)
    const narrow = ops.linearInt8(ops.to(x, 'bf16'), q, scale, ops.zeros([5], 'bf16'))
    expect(narrow.dtype).toBe('bf16')
    expect(relative(ops.to(narrow, 'f32').numbers(), plain)).toBeLessThan(0.02)
    expect(() => ops.linearInt8(x, matrix('types', 5, 20), scale)).toThrow('weight int8')
    expect(() => ops.linearInt8(x, q, ops.zeros([4]))).toThrow('scale [out]')
    expect(() => ops.quantizeInt8(ops.to(x, 'f64'))).toThrow('quantize_int8')
  })
})
