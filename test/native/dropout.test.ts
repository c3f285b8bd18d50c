import { expect, test } from 'vitest'
import { f64, gradients, native, ops, requiresGrad, scope } from '../../src/tensor/index.js'

const SHARE = 0.3
const mask = (rows: number, columns: number, seed: number) =>
  ops.dropout(ops.full([rows, columns], 1 - SHARE, 'f32'), SHARE, seed).numbers()

test('neighbours, rows and seeds fall independently of each other, each with the share', () =>
  scope(() => {
    const [rows, columns] = [400, 256]
    const first = mask(rows, columns, 2 ** 52 + 7)
    const other = mask(rows, columns, 2 ** 52 + 8)
    const n = first.length
    const both = (a: number[], b: number[]) => a.filter((v, i) => v === 0 && b[i] === 0).length / n
    const beside = (by: number) => both(first, [...first.slice(by), ...first.slice(0, by)])
    const error = (p: number) => 5 * Math.sqrt((p * (1 - p)) / n)
    expect(Math.abs(first.filter((v) => v === 0).length / n - SHARE)).toBeLessThan(error(SHARE))
    for (const share of [beside(1), beside(2), beside(columns), both(first, other)])
      expect(Math.abs(share - SHARE ** 2)).toBeLessThan(error(SHARE ** 2))
  }))

test('the mask does not depend on the number of threads, and the gradient passes where an element stayed', () =>
  scope(() => {
    const threads = native().engine().threads
    const all = [1, 2, 3].map((count) => {
      native().setThreads(count)
      return mask(300, 200, 5)
    })
    native().setThreads(threads)
    expect(all[1]).toEqual(all[0])
    expect(all[2]).toEqual(all[0])
    const x = requiresGrad(f64([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]))
    const y = ops.dropout(x, SHARE, 11)
    const [dx] = gradients([ops.sum(y)], [x])
    y.numbers().forEach((v, i) => {
      expect(dx!.numbers()[i]).toBeCloseTo(v / (i + 1), 12)
    })
  }))

test('a share of one, and one below zero, are refused', () => {
  for (const share of [1, -0.1]) expect(() => scope(() => ops.dropout(f64([1]), share, 0))).toThrow('share')
})
