/**
 * Low-rank adaptation of a linear map: y + scale * B A dropout(x). Hu et al., arXiv 2106.09685, equation 3; the
 * rank-stabilised scale alpha / sqrt(r) is Kalajdzievski's, arXiv 2312.03732.
 */
import { hash64 } from '../random.js'
import { type DType, halvesAreFast, ops, type Tensor } from '../tensor/index.js'

/** What all maps of an adapter share. */
export interface LoraMode {
  /** Off: the base model alone. */
  on: boolean
  /** Seed of the dropout of the forward that runs; unset: no dropout, as in evaluation. */
  noise?: string
}

export interface Lora {
  /** [r, in] */
  a: Tensor
  /** [out, r] */
  b: Tensor
  scale: number
  /** Share of the inputs that A does not see in training, 0 to 1. */
  dropout: number
  /** Among the maps of its adapter: each draws its own dropout. */
  place: number
  mode: LoraMode
}

/** y [T, out] of the base map with the change that the adapter makes of x [T, in]. */
export function addLora(y: Tensor, x: Tensor, lora: Lora): Tensor {
  const { a, b, scale, dropout, place, mode } = lora
  if (!mode.on) return y
  // Mixed precision rounds the inputs of products; of a narrow model the low-rank maps are computed wide where that is no slower.
  const products = y.dtype === a.dtype || halvesAreFast() ? x.dtype : a.dtype
  // A pure function of the seed: computed again for its gradients, or in a run that was resumed, the same elements fall.
  const seen =
    dropout > 0 && mode.noise !== undefined
      ? ops.dropout(
          inType(x, halvesAreFast() ? products : a.dtype),
          dropout,
          Number(hash64(`${mode.noise}/${place}`) & 0x1fffffffffffffn),
        )
      : x
  const inner = ops.linear(inType(seen, products), a) // [T, in] -> [T, r]
  const change = ops.linear(inType(inner, products), b) // [T, r] -> [T, out]
  return inType(ops.add(y, change, scale), y.dtype)
}

const inType = (t: Tensor, dtype: DType): Tensor => (t.dtype === dtype ? t : ops.to(t, dtype))
