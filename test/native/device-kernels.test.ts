/** What other devices than the CPU compute with, held against the kernels on the CPU. */
import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { type DType, f32, i64, native, ops, scope, type Tensor } from '../../src/tensor/index.js'
import { normal, relative, valueAndGradients } from '../helpers/numbers.js'
import { largest } from './attention-difference.js'
import { layoutOf, randomLists, tableOf } from './layouts.js'

native().setThreads(1)

const SCALE = 0.5

function attention(lists: number[][], dtype: DType, seed: string, window?: number): number {
  return scope(() => {
    const random = createRandom(seed)
    const { segments, rows } = layoutOf(lists)
    const inputs = [4, 2, 2].map((heads) => normal(random, [rows, heads, 8], dtype))
    const weights = normal(random, [rows, 4, 8], dtype)
    const table = tableOf(segments)
    const by = (kernel: (q: Tensor, k: Tensor, v: Tensor) => Tensor) =>
      valueAndGradients(
        inputs,
        ([q, k, v]) => kernel(q, k, v),
        () => weights,
      )
    return largest(
      by((q, k, v) => ops.packedAttentionGathered(q, k, v, table, SCALE, window)),
      by((q, k, v) => ops.packedAttention(q, k, v, table, SCALE, window)),
    )
  })
}

test('attention over gathered rows agrees with the kernel: shared prompts, windows, empty segments', () => {
  const random = createRandom('gathered')
  for (let i = 0; i < 12; i++) {
    const lists = randomLists(random, 15)
    expect(attention(lists, 'f64', `d${i}`)).toBeLessThan(1e-10)
    expect(attention(lists, 'f64', `w${i}`, 1 + random.int(8))).toBeLessThan(1e-10)
  }
  expect(attention([[7]], 'f64', 'one')).toBeLessThan(1e-10)
  expect(attention([[3], [4], [1]], 'f32', 'in order')).toBeLessThan(1e-5)
})

test('the rows that were gathered for one table are not taken for another, nor for one that was changed', () => {
  scope(() => {
    const random = createRandom('tables')
    const [q, k, v] = [2, 1, 1].map((heads) => normal(random, [6, heads, 4], 'f64'))
    const run = (table: Tensor) => ops.packedAttentionGathered(q, k, v, table, SCALE).numbers()
    const right = (table: Tensor) => ops.packedAttention(q, k, v, table, SCALE).numbers()
    const tables = [[[6]], [[2, 4]], [[2, 2, 2]]].map((lists) => tableOf(layoutOf(lists).segments))
    for (const table of [...tables, ...tables]) expect(relative(run(table), right(table))).toBeLessThan(1e-12)
    ops.copyInPlace(tables[1], i64([0, 3, 0, 0, 0, 3, 0, 3, 6, 0, 3, 3, 6, 0], [2, 7]))
    expect(relative(run(tables[1]), right(tables[1]))).toBeLessThan(1e-12)
  })
})

function logProbs(rows: number, chunk: number, dtype: DType, softcap: number, bias: boolean): number {
  const [width, vocabulary] = [6, 11]
  return scope(() => {
    const random = createRandom(`${rows} ${chunk}`)
    const shapes = [[rows, width], [vocabulary, width], ...(bias ? [[vocabulary]] : [])]
    const inputs = shapes.map((shape) => normal(random, shape, dtype))
    const targets = i64(Array.from({ length: rows }, () => random.int(vocabulary)))
    const weights = normal(random, [rows], dtype)
    const hits: number[][] = []
    const by = (kernel: (h: Tensor, w: Tensor, b: Tensor | null) => [Tensor, Tensor]) =>
      valueAndGradients(
        inputs,
        ([h, w, b]) => {
          const [logp, hit] = kernel(h, w, b ?? null)
          hits.push(hit.numbers())
          return logp
        },
        () => weights,
      )
    const found = by((h, w, b) => ops.linearLogProbChunked(h, w, targets, chunk, b, softcap))
    const expected = by((h, w, b) => ops.linearLogProb(h, w, targets, 0, b, softcap))
    expect(hits[0]).toEqual(hits[1])
    return largest(found, expected)
  })
}

test('log-probabilities in chunks agree with the kernel: one row, several, all at once; soft caps, a bias', () => {
  for (const chunk of [1, 11, 40, 1000]) {
    for (const softcap of [0, 3]) {
      for (const bias of [false, true]) {
        expect(logProbs(9, chunk, 'f64', softcap, bias)).toBeLessThan(1e-10)
        expect(logProbs(9, chunk, 'f32', softcap, bias)).toBeLessThan(1e-4)
      }
    }
  }
})

test('AdamW from plain operators makes the update of the fused kernel', () => {
  scope(() => {
    const random = createRandom('adamw')
    const fresh = () => ({ p: f32([1, -2, 3]), m: ops.zeros([3]), v: ops.zeros([3]), n: f32([0], []) })
    const [a, b] = [fresh(), fresh()]
    for (let i = 0; i < 5; i++) {
      const g = normal(random, [3], 'f32')
      for (const { n } of [a, b]) ops.foreachAddInPlace([n], 1)
      const how = [0.01, 0.9, 0.99, 0.1, 1e-8] as const
      ops.fusedAdamW([a.p], [g], [a.m], [a.v], [], [a.n], ...how, false, false)
      ops.fusedAdamWComposed([b.p], [g], [b.m], [b.v], [b.n], ...how)
    }
    expect(a.n.item()).toBe(5)
    for (const part of ['p', 'm', 'v'] as const)
      expect(relative(b[part].numbers(), a[part].numbers())).toBeLessThan(1e-5)
  })
})
