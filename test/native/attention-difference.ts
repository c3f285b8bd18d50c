/** The attention kernel against its composed form, on a layout of lists. */
import { createRandom } from '../../src/random.js'
import { type DType, ops, scope, type Tensor } from '../../src/tensor/index.js'
import { normal, relative, valueAndGradients } from '../helpers/numbers.js'
import { layoutOf, tableOf } from './layouts.js'

type Kernel = typeof ops.packedAttention

export interface AttentionCase {
  heads: number
  kvHeads: number
  width: number
  dtype: DType
  seed: string
  window?: number
  softcap?: number
}

/** Forward and the three gradients by both kernels; the largest relative difference of the four. */
export function attentionDifference(lists: number[][], how: AttentionCase): number {
  const { heads, kvHeads, width, dtype, seed, window, softcap } = how
  return scope(() => {
    const random = createRandom(seed)
    const { segments, rows } = layoutOf(lists)
    const inputs = [heads, kvHeads, kvHeads].map((h) => normal(random, [rows, h, width], dtype))
    const weights = normal(random, [rows, heads, width], dtype)
    const table = tableOf(segments)
    const run = (kernel: Kernel) =>
      valueAndGradients(
        inputs,
        ([q, k, v]) => kernel(q, k, v, table, width ** -0.5, window, softcap),
        () => weights,
      )
    return largest(run(ops.packedAttention), run(ops.packedAttentionComposed))
  })
}

/** The largest relative difference of a value and its gradients. */
export function largest(
  found: { value: number[]; gradients: number[][] },
  expected: { value: number[]; gradients: number[][] },
): number {
  return Math.max(
    relative(found.value, expected.value),
    ...found.gradients.map((g, i) => relative(g, expected.gradients[i])),
  )
}

/** Weighted sum of an output, for central differences. */
export const weighted = (value: Tensor, weights: Tensor): number => ops.sum(ops.mul(value, weights)).item()
