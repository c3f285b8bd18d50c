import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import {
  backward,
  f32,
  f64,
  gradOf,
  native,
  ops,
  requiresGrad,
  scope,
  type Tensor,
} from '../../src/tensor/index.js'
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

// Up to 16 rows go through a product that reads the matrix once; columns and inner sizes beside its tiles of 16.
test.each([1, 3, 16, 33])(
  'few rows: %i columns are those of f64, whatever rows stand beside and how many threads run',
  (outer) => {
    const threads = native().engine().threads
    for (const inner of [1, 15, 16, 17, 48, 70]) {
      const [x, w] = [numbers(17 * inner), numbers(outer * inner)]
      scope(() => {
        // A row apart, so that rows of x do not follow one another.
        const rows = ops.narrow(
          f32(
            [...x, ...x].map((_, i) => x[(i % inner) + inner * Math.floor(i / (2 * inner))]),
            [17, 2 * inner],
          ),
          1,
          0,
          inner,
        )
        const weight = f32(w, [outer, inner])
        const expected = ops.linear(f64(x, [17, inner]), f64(w, [outer, inner])).numbers()
        const scale = Math.max(1, ...expected.map(Math.abs))
        const alone = Array.from({ length: 17 }, (_, r) =>
          ops.linear(ops.narrow(rows, 0, r, 1), weight).numbers(),
        ).flat()
        expect(maxDifference(alone, expected) / scale).toBeLessThan(1e-5)
        for (let count = 2; count <= 16; count++) {
          native().setThreads(1 + (count % 2))
          expect(ops.linear(ops.narrow(rows, 0, 0, count), weight).numbers()).toEqual(
            alone.slice(0, count * outer),
          )
        }
      })
    }
    native().setThreads(threads)
  },
)
