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

type Kernel = (hidden: Tensor, weight: Tensor, targets: Tensor) => [Tensor, Tensor]

const keeping =
  (bytes: number): Kernel =>
  (h, w, t) =>
    ops.linearLogProb(h, w, t, bytes)

function difference(
  rows: number,
  width: number,
  vocabulary: number,
  dtype: DType,
  keepBytes: number,
): number {
  return scope(() => {
    const random = createRandom(`${rows} ${vocabulary}`)
    const inputs = [normal(random, [rows, width], dtype), normal(random, [vocabulary, width], dtype)]
    const targets = i64(Array.from({ length: rows }, () => random.int(vocabulary)))
    const weights = normal(random, [rows], dtype)
    const run = (kernel: Kernel) => {
      let hits: number[] = []
      const out = valueAndGradients(
        inputs,
        ([h, w]) => {
          const [logp, hit] = kernel(h, w, targets)
          hits = hit.numbers()
          return logp
        },
        () => weights,
      )
      return { ...out, hits }
    }
    const own = run(keeping(keepBytes))
    const composed = run(ops.linearLogProbComposed)
    expect(own.hits).toEqual(composed.hits)
    return Math.max(
      relative(own.value, composed.value),
      ...own.gradients.map((g, i) => relative(g, composed.gradients[i])),
    )
  })
}

test('values, hits and both gradients are those of log_softmax, whether probabilities are kept or not', () => {
  for (const keep of [0, 2 ** 30]) {
    for (const [rows, width, vocabulary] of [
      [1, 3, 5],
      [37, 16, 101],
      [3, 1, 2],
      [64, 8, 7],
      [5, 4, 1],
    ]) {
      expect(difference(rows, width, vocabulary, 'f64', keep)).toBeLessThan(1e-10)
      expect(difference(rows, width, vocabulary, 'f32', keep)).toBeLessThan(1e-5)
    }
  }
})

// 16 Mi logits are a chunk: 16 rows of this vocabulary, so 35 rows are three chunks, the last one short. In f64: a
// product over a million f32 columns is only good to 1e-3, libtorch's own too.
test('several chunks give what one gives', { timeout: 120_000 }, () => {
  // Nothing, everything, and the first of the chunks kept.
  for (const keep of [0, 2 ** 30, 20 * 8e6]) {
    scope(() => {
      const random = createRandom('chunks')
      const vocabulary = 1_000_000
      const rows = 35
      const base = normal(random, [vocabulary / 1000, 2], 'f64')
      const weight = requiresGrad(
        ops.reshape(ops.expand(ops.unsqueeze(base, 0), [1000, 1000, 2]), [vocabulary, 2]),
      )
      const hidden = requiresGrad(normal(random, [rows, 2], 'f64'))
      const targets = i64(Array.from({ length: rows }, () => random.int(vocabulary)))
      const [logp] = ops.linearLogProb(hidden, weight, targets, keep)
      const [dh, dw] = gradients([ops.sum(logp)], [hidden, weight])
      // The head repeats 1000 rows 1000 times: the same numbers from 1000 rows, ln 1000 lower.
      const small = requiresGrad(ops.clone(base))
      const smallHidden = requiresGrad(ops.clone(ops.detach(hidden)))
      const smallTargets = i64(targets.numbers().map((t) => t % 1000))
      const [expected] = ops.linearLogProbComposed(smallHidden, small, smallTargets)
      const [dhSmall, dwSmall] = gradients([ops.sum(expected)], [smallHidden, small])
      const shifted = expected.numbers().map((x) => x - Math.log(1000))
      expect(relative(logp.numbers(), shifted)).toBeLessThan(1e-10)
      expect(relative(dh!.numbers(), dhSmall!.numbers())).toBeLessThan(1e-10)
      const folded = ops.sumDim(ops.reshape(dw!, [1000, 1000, 2]), [0])
      expect(relative(folded.numbers(), dwSmall!.numbers())).toBeLessThan(1e-10)
    })
  }
})

test('no rows: empty values, zero gradients', () => {
  scope(() => {
    const hidden = requiresGrad(f32([], [0, 3]))
    const weight = requiresGrad(f32([1, 2, 3, 4, 5, 6], [2, 3]))
    const [logp, hit] = ops.linearLogProb(hidden, weight, i64([]), 1000)
    expect([logp.shape, hit.shape]).toEqual([[0], [0]])
    const [dh, dw] = gradients([ops.sum(logp)], [hidden, weight])
    expect(dh!.shape).toEqual([0, 3])
    expect(dw!.numbers()).toEqual([0, 0, 0, 0, 0, 0])
  })
})

test('by hand: two logits', () => {
  scope(() => {
    const [logp, hit] = ops.linearLogProb(
      f64([1, 0, 0, 1], [2, 2]),
      f64([0, 0, Math.log(3), 0], [2, 2]),
      i64([1, 0]),
    )
    // row 0: logits 0 and ln 3; row 1: 0 and 0 (a tie is a hit)
    expect(logp.numbers()[0]).toBeCloseTo(Math.log(3 / 4), 14)
    expect(logp.numbers()[1]).toBeCloseTo(Math.log(1 / 2), 14)
    expect(hit.numbers()).toEqual([1, 1])
  })
})

test('gradients agree with central differences', () => {
  scope(() => {
    const random = createRandom('differences')
    const shapes = [
      [4, 3],
      [6, 3],
    ]
    const inputs = shapes.map((shape) => normal(random, shape))
    const targets = i64([0, 5, 5, 2])
    const weights = normal(random, [4])
    const found = valueAndGradients(
      inputs,
      ([h, w]) => ops.linearLogProb(h, w, targets)[0],
      () => weights,
    )
    inputs.forEach((input, which) => {
      const expected = centralDifferences(input.numbers(), (values) => {
        const [h, w] = inputs.map((t, i) => (i === which ? f64(values, shapes[i]) : t))
        return ops.sum(ops.mul(ops.linearLogProb(h, w, targets)[0], weights)).item()
      })
      expect(relative(found.gradients[which], expected)).toBeLessThan(1e-8)
    })
  })
})

test('only one of hidden and head asks for a gradient', () => {
  for (const keep of [0, 2 ** 20]) {
    for (const which of [0, 1]) {
      scope(() => {
        const random = createRandom('one')
        const inputs = [normal(random, [5, 3]), normal(random, [4, 3])]
        requiresGrad(inputs[which])
        const loss = (kernel: Kernel) => ops.sum(kernel(inputs[0], inputs[1], i64([0, 1, 2, 3, 0]))[0])
        const [own] = gradients([loss(keeping(keep))], [inputs[which]])
        const [composed] = gradients([loss(ops.linearLogProbComposed)], [inputs[which]])
        expect(relative(own!.numbers(), composed!.numbers())).toBeLessThan(1e-12)
      })
    }
  }
})

test('extreme logits stay finite; a NaN stays a NaN', () => {
  scope(() => {
    const head = f64([1, -1], [2, 1])
    const [logp] = ops.linearLogProb(f64([1e4, 1e4, Number.NaN], [3, 1]), head, i64([0, 1, 0]))
    expect(logp.numbers().slice(0, 2)).toEqual([0, -2e4])
    expect(logp.numbers()[2]).toBeNaN()
  })
})

test('the hits of f32 rows are exact: the target is the row maximum', () => {
  scope(() => {
    const random = createRandom('hits')
    const hidden = normal(random, [50, 8], 'f32')
    const head = normal(random, [30, 8], 'f32')
    const best = ops.argmax(ops.matmul(hidden, ops.transpose(head, 0, 1)), 1)
    const [, hit] = ops.linearLogProb(hidden, head, best)
    expect(hit.numbers()).toEqual(new Array(50).fill(1))
    const [, missed] = ops.linearLogProb(hidden, head, i64(best.numbers().map((b) => (b + 1) % 30)))
    expect(missed.numbers()).toEqual(new Array(50).fill(0))
  })
})
