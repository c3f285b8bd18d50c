/** Linear layers with a weight in 8 or 4 bits, against plain operators. */
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { f32, fromData, native, noGrad, ops, scope, type Tensor } from '../../src/tensor/index.js'
import { normal, relative, valueAndGradients } from '../helpers/numbers.js'

const { threads } = native().engine()

const KINDS = [
  ['8 bits', ops.quantizeInt8],
  ['4 bits', ops.quantizeNf4],
] as const

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
  [37, 129],
  [18, 219],
] as const

describe.each(KINDS)('%s', (_, quantize) => {
  test.each(SHAPES)(
    '[%i, %i]: the composition up to rounding, for 1 to 70 tokens, with a bias and without',
    (out, columns) => {
      const random = createRandom(`quantized/${out}`)
      for (let tokens = 0; tokens <= 70; tokens++) {
        scope(() => {
          const x = normal(random, [tokens, columns], 'f32')
          const [q, scale] = quantize(matrix(`${out}/${columns}`, out, columns))
          for (const bias of [null, normal(random, [out], 'f32')]) {
            const expected = ops.linearQuantizedComposed(x, q, scale, bias).numbers()
            expect(
              relative(ops.linearQuantized(x, q, scale, bias).numbers(), expected),
              `${tokens}`,
            ).toBeLessThan(1e-5)
          }
        })
      }
    },
  )

  test('a weight of many blocks: forward and gradients as composed', () => {
    scope(() => {
      const random = createRandom('blocks')
      const [q, scale] = quantize(matrix('blocks', 700, 3001))
      const x = normal(random, [40, 3001], 'f32')
      const bias = normal(random, [700], 'f32')
      const dy = normal(random, [40, 700], 'f32')
      const of = (op: typeof ops.linearQuantized) =>
        valueAndGradients(
          [x, bias],
          ([a, b]) => op(a, q, scale, b),
          () => dy,
        )
      const [found, expected] = [of(ops.linearQuantized), of(ops.linearQuantizedComposed)]
      expect(relative(found.value, expected.value)).toBeLessThan(1e-5)
      found.gradients.forEach((grad, i) => {
        expect(relative(grad, expected.gradients[i])).toBeLessThan(1e-5)
      })
    })
  })

  test.each([1, 5, 21])('the gradient of x is that of finite differences, %i tokens', (tokens) => {
    scope(() => {
      const random = createRandom(`finite/${tokens}`)
      const [q, scale] = quantize(matrix('finite', 6, 19))
      const [x, dy] = [normal(random, [tokens, 19], 'f32'), normal(random, [tokens, 6], 'f32')]
      const { gradients } = valueAndGradients(
        [x],
        ([a]) => ops.linearQuantized(a, q, scale),
        () => dy,
      )
      const [grad] = gradients
      const value = (at: number, by: number): number =>
        scope(() => {
          const moved = Float64Array.from(x.numbers())
          moved[at] += by
          const y = ops.linearQuantizedComposed(fromData(moved, x.shape), q, scale)
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
          const [q, scale] = quantize(normal(random, [3001, 515], 'f32'))
          const x = normal(random, [7, 515], 'f32')
          const run = (count: number) => {
            native().setThreads(count)
            return ops.linearQuantized(x, q, scale).numbers()
          }
          const one = run(1)
          expect(run(2)).toEqual(one)
          expect(run(5)).toEqual(one)
          const last = ops.linearQuantized(ops.narrow(x, 0, 6, 1), q, scale).numbers()
          expect(last).toEqual(one.slice(6 * 3001))
        }),
      )
    } finally {
      native().setThreads(threads)
    }
  })

  test('f64: values and gradients are those of the composition, a bf16 input gives bf16', () => {
    scope(() => {
      const random = createRandom('types')
      const [q, scale] = quantize(matrix('types', 9, 83))
      const x = normal(random, [3, 83], 'f64')
      const dy = normal(random, [3, 9], 'f64')
      const of = (op: typeof ops.linearQuantized) =>
        valueAndGradients(
          [x],
          ([a]) => op(a, q, scale),
          () => dy,
        )
      const [found, expected] = [of(ops.linearQuantized), of(ops.linearQuantizedComposed)]
      expect(found).toEqual(expected)
      const narrow = ops.linearQuantized(ops.to(x, 'bf16'), q, scale, ops.zeros([9], 'bf16'))
      expect(narrow.dtype).toBe('bf16')
      expect(relative(ops.to(narrow, 'f32').numbers(), found.value)).toBeLessThan(0.02)
    })
  })

  test('no tokens, no rows and no columns come out as empty or zero', () => {
    scope(() => {
      for (const [tokens, out, columns] of [
        [0, 3, 70],
        [2, 0, 70],
        [2, 3, 0],
      ]) {
        const [q, scale] = quantize(ops.zeros([out, columns]))
        const y = ops.linearQuantized(ops.zeros([tokens, columns]), q, scale)
        expect([y.shape, y.numbers()]).toEqual([[tokens, out], new Array(tokens * out).fill(0)])
      }
    })
  })
})

test('other weights and shapes are refused', () => {
  scope(() => {
    const plain = matrix('types', 5, 70)
    const x = normal(createRandom('x'), [3, 70], 'f32')
    const [[q8, scale8], [q4, scale4]] = [ops.quantizeInt8(plain), ops.quantizeNf4(plain)]
    expect(() => ops.linearQuantized(x, plain, scale8)).toThrow('weight int8')
    expect(() => ops.linearQuantized(x, q8, ops.zeros([4]))).toThrow('scale [out]')
    expect(() => ops.linearQuantized(x, q4, scale8)).toThrow('scale [out, in / 64]')
    expect(() => ops.linearQuantized(x, q4, ops.to(scale4, 'f32'))).toThrow('scale bf16')
    expect(() => ops.linearQuantized(ops.narrow(x, 1, 0, 64), q4, scale4)).toThrow('weight [out, in / 2]')
    expect(() => ops.quantizeInt8(ops.to(x, 'f64'))).toThrow('quantize_int8')
    expect(() => ops.quantizeNf4(ops.to(x, 'f64'))).toThrow('quantize_nf4')
  })
})
