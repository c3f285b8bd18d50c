import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { f64, i64, native, ops, scope } from '../../src/tensor/index.js'
import { centralDifferences, normal, relative, valueAndGradients } from '../helpers/numbers.js'
import { attentionDifference, largest, weighted } from './attention-difference.js'
import { layoutOf, randomLists, tableOf } from './layouts.js'

// Shapes this small gain nothing from threads, and waiting for them is slow on a busy machine.
native().setThreads(1)

test('random layouts, windows from 1 to beyond the segment, soft caps: kernel and composition agree', () => {
  const random = createRandom('windows')
  for (let i = 0; i < 40; i++) {
    const lists = randomLists(random, 20)
    const window = [0, 1, 2, 5, 19, 21, 40, 1000][i % 8]
    const softcap = [0, 0.5, 30][i % 3]
    const shape = { heads: 4, kvHeads: 2, width: 5, window, softcap }
    expect(attentionDifference(lists, { ...shape, dtype: 'f64', seed: `d${i}` })).toBeLessThan(1e-10)
    expect(attentionDifference(lists, { ...shape, dtype: 'f32', seed: `s${i}` })).toBeLessThan(2e-5)
  }
})

test('more rows than one block: the window leaves whole blocks of keys out, of the context and of the segment', () => {
  const lists = [
    [300, 290, 1],
    [5, 400],
  ]
  for (const window of [1, 64, 128, 129, 200, 300, 700]) {
    for (const softcap of [0, 2]) {
      const shape = { heads: 2, kvHeads: 1, width: 4, window, softcap, dtype: 'f64', seed: 'long' } as const
      expect(attentionDifference(lists, shape)).toBeLessThan(1e-10)
    }
  }
})

test('by hand: a window of 2 crosses from the context into the answer', () => {
  scope(() => {
    const zeros = f64(new Array(5).fill(0), [5, 1, 1])
    const v = f64([1, 2, 10, 20, 100], [5, 1, 1])
    const table = tableOf(layoutOf([[2, 2, 1]]).segments)
    // rows 0, 1: the prompt; 2, 3: one answer; 4: another, next to the prompt's last token
    const expected = [1, (1 + 2) / 2, (2 + 10) / 2, (10 + 20) / 2, (2 + 100) / 2]
    expect(relative(ops.packedAttention(zeros, zeros, v, table, 1, 2).numbers(), expected)).toBeLessThan(
      1e-14,
    )
  })
})

test('by hand: a soft cap bounds the scores before the softmax', () => {
  scope(() => {
    const q = f64([0, 4], [2, 1, 1])
    const k = f64([1, -1], [2, 1, 1])
    const v = f64([1, 0], [2, 1, 1])
    const table = tableOf(layoutOf([[2]]).segments)
    const out = ops.packedAttention(q, k, v, table, 0.5, 0, 3).numbers()
    // row 1: scores 3 tanh(2 / 3) and -3 tanh(2 / 3)
    expect(out[1]).toBeCloseTo(1 / (1 + Math.exp(-6 * Math.tanh(2 / 3))), 14)
  })
})

test('a window that holds every key, and a cap far above every score, change nothing', () => {
  scope(() => {
    const random = createRandom('wide')
    const { segments, rows } = layoutOf([[7, 4, 9], [3]])
    const [q, k, v] = [2, 2, 2].map((h) => normal(random, [rows, h, 4]))
    const table = tableOf(segments)
    const plain = ops.packedAttention(q, k, v, table, 0.5).numbers()
    expect(ops.packedAttention(q, k, v, table, 0.5, 16).numbers()).toEqual(plain)
    expect(relative(ops.packedAttention(q, k, v, table, 0.5, 0, 1e6).numbers(), plain)).toBeLessThan(1e-10)
  })
})

test('gradients through window and soft cap agree with central differences', () => {
  scope(() => {
    const random = createRandom('differences')
    const { segments, rows } = layoutOf([[3, 4, 1], [2]])
    const shapes = [2, 1, 1].map((h) => [rows, h, 3])
    const inputs = shapes.map((shape) => normal(random, shape))
    const table = tableOf(segments)
    const weights = normal(random, shapes[0])
    const attend = (all: typeof inputs) => ops.packedAttention(all[0], all[1], all[2], table, 1.5, 3, 0.8)
    const found = valueAndGradients(inputs, attend, () => weights)
    inputs.forEach((input, which) => {
      const expected = centralDifferences(input.numbers(), (values) =>
        weighted(attend(inputs.map((t, i) => (i === which ? f64(values, shapes[i]) : t))), weights),
      )
      expect(relative(found.gradients[which], expected)).toBeLessThan(1e-8)
    })
  })
})

test('generation: a query over the cache sees the last keys of context and own rows only', () => {
  scope(() => {
    const random = createRandom('cache')
    const [q, k, v] = [1, 12, 12].map((rows) => normal(random, [rows, 2, 4]))
    // four context keys, three own ones, the last of which is the query's: a window of 5 reaches two of the context
    const table = i64([0, 1, 0, 4, 6, 9, 0], [1, 7])
    const seen = [2, 3, 6, 7, 8]
    const picked = (t: typeof k) => ops.indexSelect(t, 0, i64(seen))
    const all = i64([0, 1, 0, 0, 0, 5, 0], [1, 7])
    const expected = ops.packedAttention(q, picked(k), picked(v), all, 0.5).numbers()
    expect(relative(ops.packedAttention(q, k, v, table, 0.5, 5).numbers(), expected)).toBeLessThan(1e-14)
    const composed = ops.packedAttentionComposed(q, k, v, table, 0.5, 5).numbers()
    expect(relative(composed, expected)).toBeLessThan(1e-14)
  })
})

test('parts of one fused projection give what copies of them give, gradients too', () => {
  scope(() => {
    const random = createRandom('fused')
    const { segments, rows } = layoutOf([[6, 3, 4]])
    const table = tableOf(segments)
    const weights = normal(random, [rows, 4, 3])
    const all = normal(random, [rows, 4 + 2 + 2, 3])
    const run = (copy: boolean) =>
      valueAndGradients(
        [all],
        ([t]) => {
          const [q, k, v] = ops.split(t, [4, 2, 2], 1).map((p) => (copy ? ops.clone(p) : p))
          return ops.packedAttention(q, k, v, table, 0.5)
        },
        () => weights,
      )
    expect(largest(run(false), run(true))).toBeLessThan(1e-14)
  })
})

test('settings without a meaning are refused', () => {
  scope(() => {
    const x = f64([1, 2], [2, 1, 1])
    const table = tableOf(layoutOf([[2]]).segments)
    expect(() => ops.packedAttention(x, x, x, table, 1, -1)).toThrow('window must not be negative')
    expect(() => ops.packedAttention(x, x, x, table, 1, 0, -2)).toThrow('softcap must be a positive number')
    expect(() => ops.packedAttentionComposed(x, x, x, table, 1, 0, Number.NaN)).toThrow('softcap')
  })
})
