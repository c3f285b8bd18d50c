// Gradients that operators add to `grad` of a weight themselves, against those that autograd returns.
import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import {
  backward,
  type DType,
  gradients,
  gradOf,
  i64,
  memory,
  ops,
  requiresGrad,
  scope,
  type Tensor,
} from '../../src/tensor/index.js'
import { normal, relative } from '../helpers/numbers.js'

type Loss = (weight: Tensor, ids: Tensor, hidden: Tensor) => Tensor

/** A tied embedding: taken by rows, multiplied with, and asked for log-probabilities. */
const USES: [string, Loss][] = [
  ['embedding', (weight, ids) => ops.sum(ops.square(ops.embedding(weight, ids)))],
  ['linear', (weight, _, hidden) => ops.sum(ops.square(ops.linear(hidden, weight)))],
  ['log-probabilities', (weight, ids, hidden) => ops.sum(ops.linearLogProb(hidden, weight, ids)[0])],
  [
    'all at once',
    (weight, ids) =>
      ops.sum(
        ops.linearLogProb(
          ops.linear(ops.embedding(weight, ids), weight),
          ops.transpose(weight, 0, 1),
          ids,
        )[0],
      ),
  ],
]

const VOCABULARY = 11
const WIDTH = 11

function inputs(dtype: DType, rows: number) {
  const random = createRandom(`${dtype} ${rows}`)
  // Ids repeat, and some rows are never taken.
  const ids = i64(Array.from({ length: rows }, () => random.int(VOCABULARY - 2)))
  const weight = requiresGrad(normal(random, [VOCABULARY, WIDTH], dtype))
  return { weight, ids, hidden: normal(random, [rows, WIDTH], dtype) }
}

test.each(USES)('%s: what two backward passes leave is the sum of what autograd returns', (_, loss) => {
  for (const dtype of ['f32', 'f64'] as const) {
    for (const rows of [1, 7, 100]) {
      scope(() => {
        const { weight, ids, hidden } = inputs(dtype, rows)
        const [expected] = gradients([loss(weight, ids, hidden)], [weight])
        expect(gradOf(weight)).toBeUndefined() // asked for by name, so nothing is left behind
        for (const times of [1, 2]) {
          backward(loss(weight, ids, hidden))
          const bound = dtype === 'f32' ? 1e-5 : 1e-12
          expect(relative(gradOf(weight)!.numbers(), ops.mulScalar(expected!, times).numbers())).toBeLessThan(
            bound,
          )
        }
      })
    }
  }
})

test('a frozen weight gets no gradient, and what stands before it does', () => {
  scope(() => {
    const { weight, ids } = inputs('f64', 5)
    const frozen = ops.detach(weight)
    backward(ops.sum(ops.square(ops.linear(ops.embedding(weight, ids), frozen))))
    expect(gradOf(frozen)).toBeUndefined()
    expect(Math.max(...gradOf(weight)!.numbers().map(Math.abs))).toBeGreaterThan(0)
  })
})

test('rows that were not taken have a gradient of zero, and an id outside of the matrix is an error', () => {
  scope(() => {
    const { weight } = inputs('f32', 1)
    backward(ops.sum(ops.embedding(weight, i64([3, 3, 0]))))
    const rows = gradOf(weight)!.numbers()
    expect(Array.from({ length: VOCABULARY }, (_, r) => rows[r * WIDTH])).toEqual([
      1,
      0,
      0,
      2,
      ...Array(7).fill(0),
    ])
    for (const id of [-1, VOCABULARY]) expect(() => ops.embedding(weight, i64([id]))).toThrow()
  })
})

test('adding in place makes no tensor that outlives the pass', () => {
  scope(() => {
    const { weight, ids, hidden } = inputs('f32', 100)
    backward(scope(() => USES[3][1](weight, ids, hidden)))
    const { tensors } = memory()
    for (let i = 0; i < 20; i++) backward(scope(() => USES[3][1](weight, ids, hidden)))
    expect(memory().tensors - tensors).toBeLessThanOrEqual(20) // the losses of this loop
  })
})
