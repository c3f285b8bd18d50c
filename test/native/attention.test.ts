import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { f64, native, ops, scope } from '../../src/tensor/index.js'
import { centralDifferences, normal, relative, valueAndGradients } from '../helpers/numbers.js'
import { attentionDifference as difference } from './attention-difference.js'
import { layoutOf, randomLists, tableOf } from './layouts.js'

// Small shapes gain nothing from threads, and waiting for them is slow on a busy machine.
const { threads } = native().engine()
native().setThreads(1)

test('random layouts: prompts with 1 to 6 answers, empty and one-token segments, grouped queries', () => {
  const random = createRandom('layouts')
  const shapes = [
    [1, 1, 4],
    [4, 2, 8],
    [6, 1, 5],
    [3, 3, 16],
    [8, 2, 3],
  ]
  for (let i = 0; i < 25; i++) {
    const lists = randomLists(random, 20)
    const [heads, kvHeads, width] = shapes[i % shapes.length]
    expect(difference(lists, { heads, kvHeads, width, dtype: 'f64', seed: `d${i}` })).toBeLessThan(1e-10)
    expect(difference(lists, { heads, kvHeads, width, dtype: 'f32', seed: `s${i}` })).toBeLessThan(1e-5)
  }
})

test('more rows than one block: prompts and answers of 127 to 300 tokens', () => {
  for (const lists of [
    [[300]],
    [[128, 129, 1, 127]],
    [
      [260, 300, 5],
      [3, 140],
    ],
  ]) {
    const shape = { heads: 4, kvHeads: 2, width: 8, seed: 'long' }
    expect(difference(lists, { ...shape, dtype: 'f64' })).toBeLessThan(1e-10)
    expect(difference(lists, { ...shape, dtype: 'f32' })).toBeLessThan(1e-5)
  }
})

test('edges: one row, single segments, only one-token answers, empty segments at either end, no rows at all', () => {
  const cases = [
    [[1]],
    [[7]],
    [[3], [4], [1]],
    [[2, 1, 1, 1, 1, 1, 1]],
    [[0, 3]],
    [[2, 0]],
    [
      [0, 0],
      [1, 0],
    ],
  ]
  for (const lists of cases) {
    const shape = { heads: 2, kvHeads: 1, width: 4, dtype: 'f64', seed: 'edge' } as const
    expect(difference(lists, shape)).toBeLessThan(1e-10)
  }
  scope(() => {
    const none = f64([], [0, 2, 4])
    expect(ops.packedAttention(none, none, none, tableOf([]), 1).shape).toEqual([0, 2, 4])
  })
})

test('one token sees itself alone: its value comes back', () => {
  scope(() => {
    const v = f64([1, 2, 3, 4], [1, 2, 2])
    const out = ops.packedAttention(f64([9, 9, 9, 9], [1, 2, 2]), v, v, tableOf(layoutOf([[1]]).segments), 1)
    expect(out.numbers()).toEqual([1, 2, 3, 4])
  })
})

test('by hand: equal keys give the mean of the context and of the own tokens so far', () => {
  scope(() => {
    const zeros = f64(new Array(5).fill(0), [5, 1, 1])
    const v = f64([1, 2, 10, 20, 100], [5, 1, 1])
    const out = ops.packedAttention(zeros, zeros, v, tableOf(layoutOf([[2, 2, 1]]).segments), 1).numbers()
    const expected = [1, 3 / 2, 13 / 3, 33 / 4, 103 / 3]
    expect(relative(out, expected)).toBeLessThan(1e-14)
  })
})

test('large scores do not overflow', () => {
  scope(() => {
    const q = f64([1e4, -1e4], [2, 1, 1])
    const out = ops.packedAttention(q, q, f64([1, 2], [2, 1, 1]), tableOf(layoutOf([[2]]).segments), 1)
    expect(out.numbers()).toEqual([1, 2])
  })
})

test('gradients agree with central differences', () => {
  scope(() => {
    const random = createRandom('differences')
    const { segments, rows } = layoutOf([[3, 2, 1], [2]])
    const shapes = [
      [rows, 2, 3],
      [rows, 1, 3],
      [rows, 1, 3],
    ]
    const inputs = shapes.map((shape) => normal(random, shape))
    const table = tableOf(segments)
    const weights = normal(random, shapes[0])
    const found = valueAndGradients(
      inputs,
      ([q, k, v]) => ops.packedAttention(q, k, v, table, 0.6),
      () => weights,
    )
    inputs.forEach((input, which) => {
      const expected = centralDifferences(input.numbers(), (values) => {
        const [q, k, v] = inputs.map((t, i) => (i === which ? f64(values, shapes[i]) : t))
        return ops.sum(ops.mul(ops.packedAttention(q, k, v, table, 0.6), weights)).item()
      })
      expect(relative(found.gradients[which], expected)).toBeLessThan(1e-8)
    })
  })
})

test('keys in a cache: queries at the end of longer own keys are bottom-right causal', () => {
  scope(() => {
    const random = createRandom('cache')
    const [q, k, v] = [2, 9, 9].map((rows) => normal(random, [rows, 2, 4]))
    // context rows 0..2, own rows 5..8 of which the last two are the queries
    const table = tableOf([{ q0: 0, q1: 2, c0: 0, c1: 3, k0: 5, k1: 9, task: 0 }])
    const own = ops.packedAttention(q, k, v, table, 0.5).numbers()
    expect(relative(own, ops.packedAttentionComposed(q, k, v, table, 0.5).numbers())).toBeLessThan(1e-12)
    // the first query must not see the last key
    const changed = ops.clone(k)
    ops.copyInPlace(ops.narrow(changed, 0, 8, 1), f64(new Array(8).fill(50), [1, 2, 4]))
    const after = ops.packedAttention(q, changed, v, table, 0.5).numbers()
    expect(after.slice(0, 8)).toEqual(own.slice(0, 8))
    expect(after.slice(8)).not.toEqual(own.slice(8))
  })
})

test('half precision goes through the composed form, with its dtype and the same layout checks', () => {
  scope(() => {
    const random = createRandom('half')
    const { segments, rows } = layoutOf([[4, 2, 3]])
    const wide = [0, 1, 2].map(() => normal(random, [rows, 2, 4], 'f32'))
    const [q, k, v] = wide.map((t) => ops.to(t, 'bf16'))
    const out = ops.packedAttention(q, k, v, tableOf(segments), 0.5)
    expect(out.dtype).toBe('bf16')
    const [a, b, c] = wide
    const expected = ops.packedAttention(a, b, c, tableOf(segments), 0.5).numbers()
    expect(relative(ops.to(out, 'f32').numbers(), expected)).toBeLessThan(0.03)
    expect(() => ops.packedAttention(q, k, v, tableOf(segments.slice(0, 1)), 0.5)).toThrow('cover 4 of 9')
  })
})

test('the same call gives the same bits, however threads share the work', () => {
  native().setThreads(threads)
  scope(() => {
    const random = createRandom('threads')
    const { segments, rows } = layoutOf([
      [20, 5, 6],
      [9, 30],
      [1, 1, 1],
    ])
    const [q, k, v] = [4, 2, 2].map((h) => normal(random, [rows, h, 8], 'f32'))
    const once = ops.packedAttention(q, k, v, tableOf(segments), 0.3).numbers()
    for (let i = 0; i < 5; i++)
      expect(ops.packedAttention(q, k, v, tableOf(segments), 0.3).numbers()).toEqual(once)
  })
})
