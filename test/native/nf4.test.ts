/** NF4: its codes, its blocks, and how far numbers are moved, by hand and against a slow reading of the format. */
import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { f32, fromData, ops, scope, type Tensor } from '../../src/tensor/index.js'
import { normal } from '../helpers/numbers.js'

/** The value below which a standard normal number lies with probability p, by halving. */
function normalQuantile(p: number): number {
  const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
  const below = (x: number) => {
    const steps = 2000
    let sum = (density(0) + density(x)) / 2
    for (let i = 1; i < steps; i++) sum += density((x * i) / steps)
    return 0.5 + (sum * x) / steps
  }
  let [low, high] = [-4, 4]
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2
    if (below(middle) < p) low = middle
    else high = middle
  }
  return low
}

/** Appendix E of arXiv 2305.14314: quantiles at 8 and 9 even steps from the tail to the middle, which the two sides share. */
function codeValues(): number[] {
  const tail = (1 - 1 / (2 * 15) + (1 - 1 / (2 * 16))) / 2
  const side = (count: number) =>
    Array.from({ length: count - 1 }, (_, i) => normalQuantile(tail + ((0.5 - tail) * i) / (count - 1)))
  const values = [...side(8).map((v) => -v), 0, ...side(9).reverse()]
  return values.map((v) => v / values[15])
}

const CODES = codeValues()

/** What a matrix [out, in] in NF4 stands for. */
function widened([q, scale]: readonly Tensor[], columns: number): number[][] {
  const unit = ops.to(fromData(identity(columns), [columns, columns]), 'f32')
  const columnwise = ops.linearQuantizedComposed(unit, q, scale)
  const numbers = ops.contiguous(ops.transpose(columnwise, 0, 1)).numbers()
  return Array.from({ length: q.shape[0] }, (_, r) => numbers.slice(r * columns, (r + 1) * columns))
}

const identity = (n: number) => Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0))

const bf16 = (value: number) => ops.to(ops.to(f32([value], [1]), 'bf16'), 'f32').item()

/** Row by row, number by number. */
function slowly(row: readonly number[]): { bytes: number[]; scales: number[]; values: number[] } {
  const out = { bytes: [] as number[], scales: [] as number[], values: [] as number[] }
  for (let at = 0; at < row.length; at += 64) {
    const block = row.slice(at, at + 64)
    const scale = bf16(Math.max(...block.map(Math.abs)))
    const codes = block.map((v) => {
      const far = CODES.map((code) => Math.abs(code - (scale > 0 ? v / scale : 0)))
      return far.indexOf(Math.min(...far))
    })
    const half = Math.ceil(block.length / 2)
    for (let j = 0; j < half; j++) out.bytes.push(codes[j] + 16 * (codes[half + j] ?? 0))
    out.scales.push(scale)
    out.values.push(...codes.map((code) => CODES[code] * scale))
  }
  return out
}

test('by hand: codes go to the nearest number, two a byte, the largest of a block is its scale', () => {
  scope(() => {
    // -2 is code 0, 0 code 7, 2 code 15; 0.5 / 2 = 0.25 is nearest to 0.2461 (10), -1.3 / 2 = -0.65 to -0.6962 (1).
    const [q, scale] = ops.quantizeNf4(f32([-2, 0, 2, 0.5, -1.3, 0, 0, 0, 0, 0], [2, 5]))
    expect([q.dtype, q.shape, scale.dtype, scale.shape]).toEqual(['u8', [2, 3], 'bf16', [2, 1]])
    expect(q.numbers()).toEqual([0 + 16 * 10, 7 + 16 * 1, 15, 7 + 16 * 7, 7 + 16 * 7, 7])
    expect(ops.to(scale, 'f32').numbers()).toEqual([2, 0])
    const [first, second] = widened([q, scale], 5)
    const expected = [-2, 0, 2, 2 * 0.24611230194568634, 2 * -0.6961928009986877]
    first.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], 6)
    })
    expect(second.map(Math.abs)).toEqual([0, 0, 0, 0, 0])
  })
})

test('the 16 numbers are the quantiles of the paper, and stay as they are', () => {
  scope(() => {
    expect(CODES.length).toBe(16)
    const row = f32(CODES, [1, 16])
    const found = widened(ops.quantizeNf4(row), 16)[0]
    found.forEach((v, i) => {
      expect(v).toBeCloseTo(CODES[i], 5)
    })
  })
})

test.each([1, 2, 33, 63, 64, 65, 128, 200, 321])(
  '%i columns: bytes, scales and numbers as read slowly',
  (columns) => {
    scope(() => {
      const weight = normal(createRandom(`nf4/${columns}`), [5, columns], 'f32')
      const [q, scale] = ops.quantizeNf4(weight)
      expect([q.shape, scale.shape]).toEqual([
        [5, Math.ceil(columns / 2)],
        [5, Math.ceil(columns / 64)],
      ])
      const numbers = weight.numbers()
      const rows = Array.from({ length: 5 }, (_, r) => slowly(numbers.slice(r * columns, (r + 1) * columns)))
      expect(q.numbers()).toEqual(rows.flatMap(({ bytes }) => bytes))
      expect(ops.to(scale, 'f32').numbers()).toEqual(rows.flatMap(({ scales }) => scales))
      widened([q, scale], columns).forEach((row, r) => {
        row.forEach((v, i) => {
          expect(v).toBeCloseTo(rows[r].values[i], 5)
        })
      })
    })
  },
)

test('normal numbers are moved by 9 to 10 % of their size, and a second time not at all', () => {
  scope(() => {
    const columns = 1024
    const weight = normal(createRandom('error'), [64, columns], 'f32')
    const rounded = widened(ops.quantizeNf4(weight), columns).flat()
    const numbers = weight.numbers()
    const sum = (values: readonly number[]) => values.reduce((total, v) => total + v * v, 0)
    const error = Math.sqrt(sum(numbers.map((v, i) => v - rounded[i])) / sum(numbers))
    expect(error).toBeGreaterThan(0.09)
    expect(error).toBeLessThan(0.1)
    const again = widened(ops.quantizeNf4(fromData(Float32Array.from(rounded), [64, columns])), columns)
    expect(again.flat()).toEqual(rounded)
  })
})

test('a block that is not finite has no scale; other blocks have theirs', () => {
  scope(() => {
    const values = new Float32Array(2 * 70).fill(1)
    values[3] = Number.NaN
    values[70 + 66] = Number.POSITIVE_INFINITY
    const [, scale] = ops.quantizeNf4(fromData(values, [2, 70]))
    expect(ops.to(scale, 'f32').numbers()).toEqual([Number.NaN, 1, 1, Number.NaN])
  })
})
