import { expect, test } from 'vitest'
import { addLora, type Lora } from '../../src/nn/lora.js'
import { project } from '../../src/nn/projection.js'
import { createRandom } from '../../src/random.js'
import {
  backward,
  type DType,
  f32,
  f64,
  gradOf,
  noGrad,
  ops,
  requiresGrad,
  scope,
  type Tensor,
} from '../../src/tensor/index.js'
import { centralDifferences, normal, relative } from '../helpers/numbers.js'

const [T, IN, OUT, R] = [5, 6, 4, 3]

function lora(a: Tensor, b: Tensor, changes: Partial<Lora> = {}): Lora {
  return { a, b, scale: 0.7, dropout: 0, place: 0, mode: { on: true }, ...changes }
}

const make = (dtype: DType = 'f64') => {
  const random = createRandom('lora test')
  return {
    x: normal(random, [T, IN], dtype),
    weight: normal(random, [OUT, IN], dtype),
    a: normal(random, [R, IN], dtype),
    b: normal(random, [OUT, R], dtype),
    seed: normal(random, [T, OUT], dtype),
  }
}

test.each([0, 0.4])(
  'f64 gradients of A and B are central differences, with a dropout of %d; the base gets none',
  (dropout) =>
    scope(() => {
      const { x, weight, a, b, seed } = make()
      const mode = { on: true, noise: 'here' }
      const loss = (a: Tensor, b: Tensor) =>
        ops.sum(ops.mul(seed, project(x, { weight, lora: lora(a, b, { dropout, mode }) })))
      const [la, lb] = [a, b].map((t) => requiresGrad(ops.clone(t)))
      backward(loss(la, lb))
      const [va, vb] = [a.numbers(), b.numbers()]
      const byA = centralDifferences(va, (v) => noGrad(() => loss(f64(v, [R, IN]), b).item()))
      const byB = centralDifferences(vb, (v) => noGrad(() => loss(a, f64(v, [OUT, R])).item()))
      expect(relative(gradOf(la)!.numbers(), byA)).toBeLessThan(1e-7)
      expect(relative(gradOf(lb)!.numbers(), byB)).toBeLessThan(1e-7)
      expect(gradOf(weight)).toBeUndefined()
    }),
)

test('y + scale * B A x; switched off, y itself', () =>
  scope(() => {
    const { x, weight, a, b } = make()
    const y = ops.linear(x, weight)
    const expected = ops.add(y, ops.matmul(x, ops.transpose(ops.matmul(b, a), 0, 1)), 0.7)
    expect(relative(project(x, { weight, lora: lora(a, b) }).numbers(), expected.numbers())).toBeLessThan(
      1e-12,
    )
    expect(addLora(y, x, lora(a, b, { mode: { on: false } }))).toBe(y)
  }))

test('dropout is a function of its seed and place, keeps the share and the mean, and rests without a seed', () =>
  scope(() => {
    const width = 64
    const identity = f32(
      Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0)),
      [width, width],
    )
    const ones = ops.full([500, width], 1, 'f32')
    const drop = (noise: string | undefined, place = 0) =>
      addLora(
        ops.zeros([500, width], 'f32'),
        ones,
        lora(identity, identity, { scale: 1, dropout: 0.25, place, mode: { on: true, noise } }),
      ).numbers()
    const first = drop('a')
    const kept = first.filter((v) => v !== 0)
    expect(kept.every((v) => Math.abs(v - 4 / 3) < 1e-6)).toBe(true)
    // 32,000 draws: five standard errors.
    expect(Math.abs(kept.length / first.length - 0.75)).toBeLessThan(
      5 * Math.sqrt((0.25 * 0.75) / first.length),
    )
    expect(drop('a')).toEqual(first)
    expect(drop('b')).not.toEqual(first)
    expect(drop('a', 1)).not.toEqual(first)
    expect(new Set(drop(undefined))).toEqual(new Set([1]))
  }))

test.each([
  ['f32', 0, 1e-5],
  ['f32', 0.3, 1e-5],
  ['f64', 0.3, 1e-12],
] as const)(
  'the one operator is what its parts are, with its gradients: %s, dropout %d',
  (dtype, share, limit) =>
    scope(() => {
      // More rows than are dropped at a time.
      const [rows, seed] = [300, 2 ** 40 + 5]
      const random = createRandom('one operator')
      const given = [
        normal(random, [rows, OUT], dtype),
        normal(random, [rows, IN], dtype),
        normal(random, [R, IN], dtype),
        normal(random, [OUT, R], dtype),
      ]
      const weights = normal(random, [rows, OUT], dtype)
      const run = (change: (y: Tensor, x: Tensor, a: Tensor, b: Tensor) => Tensor) => {
        const [y, x, a, b] = given.map((t) => requiresGrad(ops.clone(t)))
        const out = change(ops.mulScalar(y, 2), x, a, b)
        backward(ops.sum(ops.mul(out, weights)))
        return [out, ...[y, x, a, b].map((t) => gradOf(t) as Tensor)].map((t) => t.numbers())
      }
      const one = run((y, x, a, b) => ops.lowRankInPlace(y, x, a, b, 0.7, share, seed))
      const parts = run((y, x, a, b) =>
        ops.add(y, ops.linear(ops.linear(share > 0 ? ops.dropout(x, share, seed) : x, a), b), 0.7),
      )
      for (const [i, found] of one.entries()) expect(relative(found, parts[i])).toBeLessThan(limit)
    }),
)

test('low-rank maps in f32 beside a bf16 map: computed in f32, given back in bf16', () =>
  scope(() => {
    const { x, weight, a, b } = make('f32')
    const narrow = project(ops.to(x, 'bf16'), { weight: ops.to(weight, 'bf16'), lora: lora(a, b) })
    expect(narrow.dtype).toBe('bf16')
    const wide = project(x, { weight, lora: lora(a, b) })
    expect(relative(ops.to(narrow, 'f32').numbers(), wide.numbers())).toBeLessThan(0.02)
  }))
