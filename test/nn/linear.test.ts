import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { backward, f32, f64, gradOf, ops, requiresGrad, scope, type Tensor } from '../../src/tensor/index.js'
import { maxDifference } from '../fixtures.js'

const random = createRandom('linear')
const numbers = (n: number) => Array.from({ length: n }, () => random.normal())

/** Value and gradients of sum(linear(x, w, b) * seed). */
function run(
  make: (values: number[], shape: number[]) => Tensor,
  x: number[],
  w: number[],
  b: number[] | undefined,
  s: number[],
  t: number,
) {
  return scope(() => {
    const inner = x.length / t
    const leaves = [
      make(x, [t, inner]),
      make(w, [w.length / inner, inner]),
      ...(b ? [make(b, [b.length])] : []),
    ]
    for (const leaf of leaves) requiresGrad(leaf)
    const y = ops.linear(leaves[0], leaves[1], leaves[2] ?? null)
    backward(ops.sum(ops.mul(y, make(s, [t, w.length / inner]))))
    return [y, ...leaves.map((leaf) => gradOf(leaf) as Tensor)].map((tensor) => tensor.numbers())
  })
}

// Token counts around every size that products are cut at.
for (const tokens of [1, 2, 3, 7, 63, 64, 65, 100, 127, 200, 1023, 1024, 1087, 1300, 1555]) {
  for (const bias of [false, true]) {
    test(`linear of ${tokens} tokens${bias ? ' with bias' : ''} in f32 is that of f64, gradients included`, () => {
      const [inner, outer] = [24, 40]
      const x = numbers(tokens * inner)
      const w = numbers(outer * inner)
      const b = bias ? numbers(outer) : undefined
      const seed = numbers(tokens * outer)
      const single = run((v, shape) => f32(v, shape), x, w, b, seed, tokens)
      const double = run((v, shape) => f64(v, shape), x, w, b, seed, tokens)
      double.forEach((expected, i) => {
        const scale = Math.max(1, ...expected.map(Math.abs))
        expect(maxDifference(single[i], expected) / scale).toBeLessThan(1e-5)
      })
    })
  }
}

test('linear of no tokens is empty', () => {
  scope(() => {
    const y = ops.linear(f32([], [0, 4]), f32(numbers(12), [3, 4]))
    expect(y.shape).toEqual([0, 3])
  })
})
