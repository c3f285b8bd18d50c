// Products in bf16 beside f32 weights, against the same composed of casts, and against f32.
import { expect, test } from 'vitest'
import { project } from '../../src/nn/projection.js'
import { createRandom } from '../../src/random.js'
import {
  backward,
  f32,
  gradients,
  gradOf,
  memory,
  ops,
  requiresGrad,
  scope,
  type Tensor,
} from '../../src/tensor/index.js'
import { normal, relative as relativeNumbers } from '../helpers/numbers.js'

const INNER = 48
const OUTER = 80

/** bf16 keeps 8 bits: what rounding changes at most. */
const ROUNDING = 2 ** -9

const relative = (found: Tensor, expected: Tensor) => relativeNumbers(found.numbers(), expected.numbers())

type Make = (x: Tensor, weight: Tensor, bias: Tensor | null) => Tensor

const mixed: Make = (x, weight, bias) => ops.linear(ops.to(x, 'bf16'), weight, bias)
const plain: Make = (x, weight, bias) => ops.linear(x, weight, bias)
const composed: Make = (x, weight, bias) => {
  const y = ops.to(ops.linear(ops.to(x, 'bf16'), ops.to(weight, 'bf16')), 'f32')
  return bias ? ops.add(y, bias) : y
}

const inputs = (rows: number, seed = 'mixed') => {
  const random = createRandom(`${seed} ${rows}`)
  const leaf = (shape: number[]) => requiresGrad(normal(random, shape, 'f32'))
  return {
    x: leaf([rows, INNER]),
    weight: leaf([OUTER, INNER]),
    bias: leaf([OUTER]),
    seed: normal(random, [rows, OUTER], 'f32'),
  }
}

/** Value, and gradients of x, weight and bias. */
function run(make: Make, rows: number, withBias: boolean): Tensor[] {
  const { x, weight, bias, seed } = inputs(rows)
  const y = make(x, weight, withBias ? bias : null)
  const leaves = withBias ? [x, weight, bias] : [x, weight]
  return [y, ...(gradients([ops.sum(ops.mul(y, seed))], leaves) as Tensor[])]
}

for (const rows of [1, 2, 65, 300, 1100]) {
  for (const bias of [false, true]) {
    const name = `${rows} rows${bias ? ' with bias' : ''}`
    test(`${name}: value and gradients are f32, within bf16's rounding of those computed in f32`, () =>
      scope(() => {
        const [found, wide] = [run(mixed, rows, bias), run(plain, rows, bias)]
        found.forEach((tensor, i) => {
          expect(tensor.dtype).toBe('f32')
          expect(relative(tensor, wide[i])).toBeLessThan(1e-2)
        })
        // The bias is in no product.
        if (bias) expect(found[3].numbers()).toEqual(wide[3].numbers())
      }))

    test(`${name}: those of casts around a bf16 product, the weight's gradient but for how its parts are rounded`, () =>
      scope(() => {
        const [found, expected] = [run(mixed, rows, bias), run(composed, rows, bias)]
        const scale = (t: Tensor) => Math.max(...t.numbers().map(Math.abs))
        found.forEach((tensor, i) => {
          const most = Math.max(...ops.sub(tensor, expected[i]).numbers().map(Math.abs))
          expect(most / scale(expected[i])).toBeLessThan(3 * ROUNDING)
        })
      }))
  }
}

test.each([1, 64, 65, 300])(
  '%i rows of numbers whose sums are exact: bit by bit those of casts around a bf16 product',
  (rows) =>
    scope(() => {
      const random = createRandom(`exact ${rows}`)
      // Whole numbers after rounding: 1 + 2^-10 goes to 1.
      const whole = (shape: number[], off = 1) => {
        const values = Array.from({ length: shape[0] * shape[1] }, () => (random.int(9) - 4) * off)
        return requiresGrad(f32(values, shape))
      }
      const x = whole([rows, INNER], 1 + 2 ** -10)
      const weight = whole([OUTER, INNER], 1 - 2 ** -10)
      const seed = whole([rows, OUTER])
      const of = (make: Make) => {
        const y = make(x, weight, null)
        // + 0: the sign of a zero depends on the order of its sum.
        return [y, ...gradients([ops.sum(ops.mul(y, seed))], [x, weight])].map((t) =>
          t?.numbers().map((n) => n + 0),
        )
      }
      const [[y, dx, dw], expected] = [of(mixed), of(composed)]
      expect(y).toEqual(expected[0])
      expect(dx).toEqual(expected[1])
      // Its parts are rounded one by one: 256 and 44 of 300 rows.
      if (rows <= 64) expect(dw).toEqual(expected[2])
    }),
)

test('a product of few numbers is exact: each is rounded, their sum is not', () =>
  scope(() => {
    // 1 + 2^-9 is rounded to 1, 3 stays: 3 * 1 + 2 * 0.5.
    const x = ops.to(ops.full([1, 1], 1 + 2 ** -9, 'f32'), 'bf16')
    const y = ops.linear(x, ops.full([1, 1], 3, 'f32'), ops.full([1], 2 ** -12, 'f32'))
    expect(y.numbers()).toEqual([3 + 2 ** -12])
  }))

test('gradients of weights are added up in f32: small ones are not lost beside a large sum', () =>
  scope(() => {
    const weight = requiresGrad(ops.full([1, 1], 1, 'f32'))
    const step = (value: number) =>
      backward(ops.sum(ops.linear(ops.to(ops.full([1, 1], value, 'f32'), 'bf16'), weight)))
    step(256)
    // In bf16 256 + 0.5 is 256.
    for (let i = 0; i < 8; i++) step(0.5)
    expect(gradOf(weight)?.numbers()).toEqual([260])
  }))

test('two backward passes leave the sum of what autograd returns', () =>
  scope(() => {
    for (const rows of [1, 65, 1100]) {
      const { x, weight, seed } = inputs(rows)
      const loss = () => ops.sum(ops.mul(mixed(x, weight, null), seed))
      const [once] = gradients([loss()], [weight])
      for (const times of [1, 2]) {
        backward(loss())
        expect(relative(gradOf(weight) as Tensor, ops.mulScalar(once as Tensor, times))).toBeLessThan(1e-6)
      }
    }
  }))

test('a frozen weight gets no gradient and keeps no input; x gets its gradient', () =>
  scope(() => {
    const { x, weight, seed } = inputs(300)
    const frozen = ops.detach(weight)
    const narrow = requiresGrad(ops.detach(ops.to(x, 'bf16')))
    const [dx] = gradients([ops.sum(ops.mul(ops.linear(narrow, frozen), seed))], [narrow])
    expect(dx?.dtype).toBe('bf16')
    const [, expected] = run(plain, 300, false)
    expect(relative(ops.to(dx as Tensor, 'f32'), expected)).toBeLessThan(1e-2)
    expect(gradOf(frozen)).toBeUndefined()
  }))

test('an adapter beside it: low-rank maps are rounded for their products, and get f32 gradients', () =>
  scope(() => {
    const { x, weight, seed } = inputs(65)
    const random = createRandom('lora')
    const a = requiresGrad(normal(random, [4, INNER], 'f32'))
    const b = requiresGrad(normal(random, [OUTER, 4], 'f32'))
    const lora = { a, b, scale: 0.5, dropout: 0.25, place: 0, mode: { on: true, noise: 'n' } }
    const gradientsOf = (input: Tensor) => {
      const y = project(input, { weight: ops.detach(weight), lora })
      expect(y.dtype).toBe('f32')
      return [y, ...(gradients([ops.sum(ops.mul(y, seed))], [a, b]) as Tensor[])]
    }
    const [found, wide] = [gradientsOf(ops.to(x, 'bf16')), gradientsOf(x)]
    found.forEach((tensor, i) => {
      expect(tensor.dtype).toBe('f32')
      expect(relative(tensor, wide[i])).toBeLessThan(1e-2)
    })
  }))

test('no tensor outlives the passes, and no rows are no product', () =>
  scope(() => {
    const { x, weight, bias, seed } = inputs(300)
    const pass = () => scope(() => backward(ops.sum(ops.mul(mixed(x, weight, bias), seed))))
    pass()
    const { tensors } = memory()
    for (let i = 0; i < 5; i++) pass()
    expect(memory().tensors).toBe(tensors)
    const none = mixed(ops.narrow(x, 0, 0, 0), weight, bias)
    expect([none.shape, none.dtype]).toEqual([[0, OUTER], 'f32'])
  }))

test('other mixtures of types are errors', () =>
  scope(() => {
    const { x, weight } = inputs(2)
    expect(() => ops.linear(ops.to(x, 'f64'), weight)).toThrow('differ in dtype')
    expect(() => ops.linear(x, ops.to(weight, 'bf16'))).toThrow('differ in dtype')
  }))
