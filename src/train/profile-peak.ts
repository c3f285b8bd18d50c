/** The matrix peak of this machine: what a product of two 1024 x 1024 matrices reaches. Model FLOPs are compared with it. */
import { type DType, noGrad, ops, scope } from '../tensor/index.js'

const SIDE = 1024
const FLOPS = 2 * SIDE ** 3
const MILLISECONDS = 200

const known = new Map<string, number>()

/**
 * FLOP/s of the best product among those of a fifth of a second; measured once per process and number type.
 * @param products the type that inputs are rounded to, in mixed precision
 */
export function matrixPeak(dtype: DType, products = dtype): number {
  const key = `${dtype} ${products}`
  const found = known.get(key) ?? noGrad(() => scope(() => measure(dtype, products)))
  known.set(key, found)
  return found
}

function measure(dtype: DType, products: DType): number {
  const left = ops.full([SIDE, SIDE], 0.5, products)
  const right = ops.full([SIDE, SIDE], 0.25, dtype)
  // Reading one element waits for a device that works on its own.
  const product = () => scope(() => ops.narrow(ops.select(ops.linear(left, right), 0, 0), 0, 0, 1).item())
  product()
  let best = Number.POSITIVE_INFINITY
  const until = performance.now() + MILLISECONDS
  do {
    const start = performance.now()
    product()
    best = Math.min(best, performance.now() - start)
  } while (performance.now() < until)
  return FLOPS / (best / 1000)
}
