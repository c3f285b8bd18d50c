import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import {
  type DType,
  f32,
  f64,
  gradients,
  i64,
  ops,
  requiresGrad,
  scope,
  type Tensor,
} from '../../src/tensor/index.js'
import { centralDifferences, normal, relative, valueAndGradients } from '../helpers/numbers.js'
import { largest, weighted } from './attention-difference.js'

const KEPT = [0, 2 ** 30]

/** hidden [R, D], weight [V, D], bias [V] and targets of R rows. */
function inputs(seed: string, rows: number, width: number, vocabulary: number, dtype: DType = 'f64') {
  const random = createRandom(seed)
  const shapes = [[rows, width], [vocabulary, width], [vocabulary]]
  return {
    shapes,
    tensors: shapes.map((shape) => normal(random, shape, dtype)),
    targets: i64(Array.from({ length: rows }, () => random.int(vocabulary))),
    weights: normal(random, [rows], dtype),
  }
}

test('with a bias and a soft cap: values and all three gradients are those of log_softmax', () => {
  for (const [rows, width, vocabulary] of [
    [1, 3, 5],
    [37, 16, 101],
    [66, 8, 7],
    [5, 4, 1],
  ]) {
    for (const dtype of ['f64', 'f32'] as const) {
      for (const softcap of [0, 1.5, 30]) {
        scope(() => {
          const { tensors, targets, weights } = inputs('head', rows, width, vocabulary, dtype)
          const run = (kernel: (h: Tensor, w: Tensor, b: Tensor) => [Tensor, Tensor]) =>
            valueAndGradients(
              tensors,
              ([h, w, b]) => kernel(h, w, b)[0],
              () => weights,
            )
          const composed = run((h, w, b) => ops.linearLogProbComposed(h, w, targets, b, softcap))
          for (const keep of KEPT) {
            const own = run((h, w, b) => ops.linearLogProb(h, w, targets, keep, b, softcap))
            expect(largest(own, composed)).toBeLessThan(dtype === 'f64' ? 1e-10 : 1e-5)
          }
        })
      }
    }
  }
})

test('gradients through bias and soft cap agree with central differences', () => {
  for (const keep of KEPT) {
    scope(() => {
      const { shapes, tensors, targets, weights } = inputs('differences', 4, 3, 6)
      const apply = ([h, w, b]: Tensor[]) => ops.linearLogProb(h, w, targets, keep, b, 1.2)[0]
      const found = valueAndGradients(tensors, apply, () => weights)
      tensors.forEach((input, which) => {
        const expected = centralDifferences(input.numbers(), (values) =>
          weighted(apply(tensors.map((t, i) => (i === which ? f64(values, shapes[i]) : t))), weights),
        )
        expect(relative(found.gradients[which], expected)).toBeLessThan(1e-8)
      })
    })
  }
})

test('by hand: two capped logits with a bias', () => {
  scope(() => {
    const head = f64([0, 0], [2, 1])
    const [logp, hit] = ops.linearLogProb(f64([1], [1, 1]), head, i64([1]), 0, f64([0, 3]), 2)
    expect(logp.item()).toBeCloseTo(-Math.log(1 + Math.exp(-2 * Math.tanh(1.5))), 14)
    expect(hit.numbers()).toEqual([1])
  })
})

test('a frozen head, or frozen hidden rows: the other gradients are the same', () => {
  for (const keep of KEPT) {
    for (const wanted of [[0], [1], [2], [0, 2], [1, 2]]) {
      scope(() => {
        const { tensors, targets } = inputs('frozen', 20, 4, 9)
        const run = (which: number[]) => {
          const all = tensors.map((t, i) => (which.includes(i) ? requiresGrad(ops.clone(t)) : t))
          const [logp] = ops.linearLogProb(all[0], all[1], targets, keep, all[2], 5)
          const leaves = which.map((i) => all[i])
          return gradients([ops.sum(logp)], leaves).map((g) => g!.numbers())
        }
        const whole = run([0, 1, 2])
        expect(run(wanted)).toEqual(wanted.map((i) => whole[i]))
      })
    }
  }
})

test('a logit far beyond the cap has no gradient, and no NaN', () => {
  scope(() => {
    const hidden = requiresGrad(f32([1e4], [1, 1]))
    const [logp] = ops.linearLogProb(hidden, f32([1, -1], [2, 1]), i64([1]), 2 ** 20, null, 30)
    expect(logp.item()).toBeCloseTo(-60, 4)
    expect(gradients([ops.sum(logp)], [hidden])[0]!.item()).toBeCloseTo(0, 5)
  })
})

test('settings without a meaning are refused', () => {
  scope(() => {
    const { tensors, targets } = inputs('wrong', 2, 3, 4)
    const [h, w] = tensors
    expect(() => ops.linearLogProb(h, w, targets, 0, f64([1, 2, 3]))).toThrow('bias must be [V]')
    expect(() => ops.linearLogProb(h, w, targets, 0, null, -1)).toThrow('softcap must be a positive number')
  })
})
