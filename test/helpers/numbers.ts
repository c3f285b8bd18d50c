/** Random tensors and ways to compare them, for tests of numbers. */
import type { createRandom } from '../../src/random.js'
import {
  type DType,
  f32,
  f64,
  gradients,
  onDevice,
  ops,
  requiresGrad,
  scope,
  type Tensor,
  withGrad,
} from '../../src/tensor/index.js'

export type Random = ReturnType<typeof createRandom>

/** Standard normal numbers in f64 or f32. */
export function normal(random: Random, shape: readonly number[], dtype: DType = 'f64'): Tensor {
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal())
  return dtype === 'f64' ? f64(values, shape) : f32(values, shape)
}

/** The bytes of a tensor wherever it is, copied. */
export const copyOfBytes = (tensor: Tensor): Buffer =>
  scope(() => Buffer.from(onDevice(tensor, 'cpu').bytes()))

/** Largest difference, relative to the largest number of `expected` (or to 1, if that is larger). */
export function relative(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length === undefined) throw new TypeError('relative: numbers, not tensors')
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY
  let scale = 1
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]))
    const difference = Math.abs(found[i] - expected[i])
    if (!(difference <= worst)) worst = difference
  }
  return worst / scale
}

/** Values of `fn(inputs)` and the gradients of their sum weighted by `seed` (ones when left out), as numbers. */
export function valueAndGradients(
  inputs: readonly Tensor[],
  fn: (inputs: Tensor[]) => Tensor,
  seed?: (value: Tensor) => Tensor,
): { value: number[]; gradients: number[][] } {
  return scope(() =>
    withGrad(() => {
      const leaves = inputs.map((t) => requiresGrad(ops.clone(ops.detach(t))))
      const value = fn(leaves)
      const weights = seed ? seed(value) : ops.full(value.shape, 1, value.dtype)
      const found = gradients([value], leaves, [weights])
      return {
        value: value.numbers(),
        gradients: found.map((g, i) => g?.numbers() ?? new Array(inputs[i].numbers().length).fill(0)),
      }
    }),
  )
}

/** Central differences of a scalar function of f64 numbers. */
export function centralDifferences(
  values: readonly number[],
  fn: (values: number[]) => number,
  step = 1e-5,
): number[] {
  return values.map((_, i) => {
    const moved = (by: number) => scope(() => fn(values.map((v, j) => (j === i ? v + by : v))))
    return (moved(step) - moved(-step)) / (2 * step)
  })
}
