/** Keys and values of past tokens, one pair of tensors a layer; rows are handed out by whoever generates. */

import type { DType } from '../tensor/index.js'
import { keep, ops, type Tensor } from '../tensor/index.js'

export interface LayerCache {
  /** [S, Hkv, d] */
  keys: Tensor
  values: Tensor
}

export interface KeyValueCache {
  layers: LayerCache[]
  rows: number
  dispose(): void
}

export function keyValueCache(
  layers: number,
  rows: number,
  kvHeads: number,
  headDim: number,
  dtype: DType,
): KeyValueCache {
  const make = () => keep(ops.zeros([rows, kvHeads, headDim], dtype))
  const list = Array.from({ length: layers }, () => ({ keys: make(), values: make() }))
  return {
    layers: list,
    rows,
    dispose: () => {
      for (const { keys, values } of list) {
        keys.dispose()
        values.dispose()
      }
    },
  }
}
