/** The matrix peak of this machine: what a product of two 1024 x 1024 matrices reaches. Model FLOPs are compared with it. */
import { type DType, noGrad, ops, scope } from '../tensor/index.js'

const SIDE = 1024
const FLOPS = 2 * SIDE ** 3
const MILLISECONDS = 200

const known = new Map<DType, number>()

/** FLOP/s of the best product among those of a fifth of a second; measured once per process and number type. */
export function matrixPeak(dtype: DType): number {
  const found = known.get(dtype) ?? noGrad(() => scope(() => measure(dtype)))
  known.set(dtype, found)
  return found
}

function measure(dtype: DType): number {
  const left = ops.full([SIDE, SIDE], 0.5, dtype)
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
