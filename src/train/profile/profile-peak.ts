/** The matrix peak of this machine: what a product of two square matrices reaches. Model FLOPs are compared with it. */
import { currentDevice, type DType, noGrad, ops, scope } from '../../tensor/index.js'

/** On a GPU products are larger, and several are queued before one is waited for: starting them takes no part. */
const CPU = { side: 1024, products: 1 }
const GPU = { side: 8192, products: 4 }
/** Where a processor is so slow that one product of the usual side would take seconds. */
const SLOW = { side: 128, products: 1 }
const SLOW_RATE = 1e9
const MILLISECONDS = 200

const known = new Map<string, number>()

/**
 * FLOP/s of the best product among those of a fifth of a second; measured once per process and number type. On a CPU below 1 GFLOP/s,
 * an emulated one, the products are smaller.
 * @param products the type that inputs are rounded to, in mixed precision
 */
export function matrixPeak(dtype: DType, products = dtype): number {
  const key = `${dtype} ${products}`
  const found = known.get(key) ?? noGrad(() => scope(() => measure(dtype, products)))
  known.set(key, found)
  return found
}

function measure(dtype: DType, products: DType): number {
  if (currentDevice() !== 'cpu') return rate(dtype, products, GPU, MILLISECONDS)
  if (rate(dtype, products, SLOW, 0) > SLOW_RATE) return rate(dtype, products, CPU, MILLISECONDS)
  return rate(dtype, products, SLOW, MILLISECONDS)
}

/** FLOP/s of the best among products of `ms` milliseconds, at least one after the first. */
function rate(dtype: DType, products: DType, { side, products: count }: typeof CPU, ms: number): number {
  // A GPU slows down for numbers that take power: equal ones would flatter it.
  const matrix = (type: DType) => ops.to(ops.randn([side, side], null, 'f32', null, currentDevice()), type)
  const [left, right] = [matrix(products), matrix(dtype)]
  const product = () => {
    for (let i = 1; i < count; i++) scope(() => ops.linear(left, right))
    // Reading one element waits for a device that works on its own.
    scope(() => ops.narrow(ops.select(ops.linear(left, right), 0, 0), 0, 0, 1).item())
  }
  product()
  let best = Number.POSITIVE_INFINITY
  const until = performance.now() + ms
  do {
    const start = performance.now()
    product()
    best = Math.min(best, performance.now() - start)
  } while (performance.now() < until)
  return (2 * side ** 3 * count) / (best / 1000)
}
