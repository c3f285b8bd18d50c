/** Small products in each type that clha multiplies in, against plain sums in double precision. */
import { type DType, f64, native, ops, scope, type Tensor } from '../../tensor/index.js'
import type { Check } from './doctor-machine.js'

const INNER = 256
const OUTER = 192
/** Rows of decoding, which kernels of ours multiply, and rows of training. */
const ROWS = { few: 4, many: 64 }
/** Seconds that a rate is measured for. */
const SECONDS = 0.02
const OWN = 'own kernel'

/** A kind of product: its operands from numbers in f64, and the numbers of the weight that they stand for. */
interface Kind {
  name: string
  /** Of many rows; few rows of all but f64 are a kernel of ours. */
  by: string
  few: string
  /** How a result is rounded, and how far sums may be off, in shares of the sum of sizes. */
  rounding: number
  sums: number
  operands(x: Tensor, weight: Tensor): { x: Tensor; weight: Tensor; product(): Tensor }
}

const F32 = { rounding: 2 ** -23, sums: 2 ** -18 }
const BF16 = { rounding: 2 ** -8, sums: 2 ** -18 }

const dense =
  (xType: DType, weightType: DType): Kind['operands'] =>
  (xIn, weightIn) => {
    const [x, weight] = [ops.to(xIn, xType), ops.to(weightIn, weightType)]
    return { x, weight: ops.to(weight, xType), product: () => ops.linear(x, weight, null) }
  }

const narrow =
  (quantize: (weight: Tensor) => [Tensor, Tensor]): Kind['operands'] =>
  (xIn, weightIn) => {
    const x = ops.to(xIn, 'f32')
    const [codes, scale] = quantize(ops.to(weightIn, 'f32'))
    const unit = f64(
      Array.from({ length: INNER * INNER }, (_, i) => (i % (INNER + 1) === 0 ? 1 : 0)),
      [INNER, INNER],
    )
    const weight = ops.transpose(ops.linearQuantizedComposed(unit, codes, scale, null), 0, 1)
    return { x, weight, product: () => ops.linearQuantized(x, codes, scale, null) }
  }

function kinds(): Kind[] {
  const { multipliers: by } = native().engine()
  return [
    { name: 'float32', by: by.f32, few: OWN, ...F32, operands: dense('f32', 'f32') },
    {
      name: 'float64',
      by: by.f64,
      few: by.f64,
      rounding: 2 ** -52,
      sums: 2 ** -47,
      operands: dense('f64', 'f64'),
    },
    { name: 'bfloat16', by: by.bf16, few: OWN, ...BF16, operands: dense('bf16', 'bf16') },
    { name: 'bf16: true', by: by.bf16, few: OWN, ...BF16, operands: dense('bf16', 'f32') },
    { name: '8 bits', by: by.f32, few: OWN, ...F32, operands: narrow(ops.quantizeInt8) },
    { name: '4 bits', by: by.f32, few: OWN, ...F32, operands: narrow(ops.quantizeNf4) },
  ]
}

/** One line for each type: who multiplied, at what rate; `missing` with the reason where a result is wrong. */
export function* productChecks(): Generator<Check> {
  for (const kind of kinds()) yield scope(() => checkOf(kind))
}

function checkOf(kind: Kind): Check {
  const name = `product ${kind.name}`
  try {
    const rates = Object.entries(ROWS).map(([rows, count]) => {
      const rate = rateOf(kind, count)
      return `${count} rows: ${rows === 'few' ? kind.few : kind.by}, ${rate.toPrecision(2)} GFLOP/s`
    })
    return { name, state: 'ok', text: rates.join('; ') }
  } catch (error) {
    const advice =
      'other figures can not be trusted either; CLHA_CPU_LEVEL=avx2 or default may pass: please report it'
    return { name, state: 'missing', text: (error as Error).message.split('\n')[0], advice }
  }
}

/** @throws Error when a number of the product is wrong */
function rateOf(kind: Kind, rows: number): number {
  const wave = (size: number, step: number) => Array.from({ length: size }, (_, i) => Math.sin(i * step))
  const operands = kind.operands(
    f64(wave(rows * INNER, 0.7), [rows, INNER]),
    f64(wave(OUTER * INNER, 1.3), [OUTER, INNER]),
  )
  compare(kind, operands.product(), operands.x, operands.weight, rows)
  const start = performance.now()
  let times = 0
  for (; performance.now() - start < SECONDS * 1000; times++) scope(() => void operands.product())
  return (2 * rows * INNER * OUTER * times) / (performance.now() - start) / 1e6
}

const wide = (tensor: Tensor) => ops.to(tensor, 'f64').numbers()

function compare(kind: Kind, found: Tensor, x: Tensor, weight: Tensor, rows: number): void {
  const [y, a, w] = [found, x, weight].map(wide)
  for (let i = 0; i < rows * OUTER; i++) {
    const [row, column] = [Math.floor(i / OUTER) * INNER, (i % OUTER) * INNER]
    let [sum, sizes] = [0, 0]
    for (let k = 0; k < INNER; k++) {
      sum += a[row + k] * w[column + k]
      sizes += Math.abs(a[row + k] * w[column + k])
    }
    if (!(Math.abs(y[i] - sum) <= kind.rounding * Math.abs(sum) + kind.sums * sizes))
      throw new Error(`wrong: ${rows} rows give ${y[i]} where the sum is ${sum}`)
  }
}
