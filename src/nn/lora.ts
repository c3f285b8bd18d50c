/**
 * Low-rank adaptation of a linear map: y + scale * B A dropout(x). Hu et al., arXiv 2106.09685, equation 3; the
 * rank-stabilised scale alpha / sqrt(r) is Kalajdzievski's, arXiv 2312.03732.
 */
import { hash64 } from '../random.js'
import { allocate, Generator, onDevice, ops, type Tensor } from '../tensor/index.js'

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
  const wide = x.dtype === a.dtype ? x : ops.to(x, a.dtype)
  const seen = dropout > 0 && mode.noise !== undefined ? drop(wide, dropout, `${mode.noise}/${place}`) : wide
  const change = ops.linear(ops.linear(seen, a), b) // [T, in] -> [T, r] -> [T, out]
  const sum = ops.add(y, change, scale)
  return sum.dtype === y.dtype ? sum : ops.to(sum, y.dtype)
}

/**
 * Inverted dropout. The mask is a pure function of the seed, so a forward that is computed again for its gradients, or in
 * a run that was resumed, drops the same elements.
 */
function drop(x: Tensor, share: number, seed: string): Tensor {
  const generator = new Generator(Number(hash64(seed) & 0xffffffffn))
  // Drawn on the CPU, so that a seed drops the same elements on every device.
  const drawn = allocate(x.shape, x.device === 'cpu' ? x.dtype : 'u8')
  ops.bernoulliInPlace(drawn, 1 - share, generator)
  generator.dispose()
  const mask = ops.to(onDevice(drawn, x.device), x.dtype)
  return ops.mul(x, ops.mulScalarInPlace(mask, 1 / (1 - share)))
}
