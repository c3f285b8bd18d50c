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
  /** Of an embedding: A is read column by column, [r, V], and B is [D, r]. */
  table?: boolean
}

/** Whether the change to a map whose outputs have a type is one operator, which keeps neither dropped inputs nor the change itself. */
export const isOneOperator = (a: Tensor, output: DType): boolean =>
  a.dtype === output && output !== 'bf16' && a.device === 'cpu'

/** y [T, out] of the base map with the change that the adapter makes of x [T, in]; y itself may be changed. */
export function addLora(y: Tensor, x: Tensor, lora: Lora): Tensor {
  const { a, b, scale, mode } = lora
  if (!mode.on) return y
  if (isOneOperator(a, y.dtype)) return ops.lowRankInPlace(y, x, a, b, scale, ...shareAndSeed(lora))
  // Mixed precision rounds the inputs of products; of a narrow model the low-rank maps are computed wide where that is no slower.
  const products = y.dtype === a.dtype || halvesAreFast() ? x.dtype : a.dtype
  const seen = dropped(x, lora, halvesAreFast() ? products : a.dtype)
  const inner = ops.linear(inType(seen, products), a) // [T, in] -> [T, r]
  const change = ops.linear(inType(inner, products), b) // [T, r] -> [T, out]
  return inType(ops.add(y, change, scale), y.dtype)
}

/**
 * What A sees of x in training. A pure function of the seed: computed again for its gradients, or in a run that was resumed, the
 * same elements fall.
 */
function dropped(x: Tensor, lora: Lora, dtype: DType): Tensor {
  const [share, seed] = shareAndSeed(lora)
  return share === 0 ? x : ops.dropout(inType(x, dtype), share, seed)
}

function shareAndSeed({ dropout, place, mode: { noise } }: Lora): [share: number, seed: number] {
  if (dropout === 0 || noise === undefined) return [0, 0]
  return [dropout, Number(hash64(`${noise}/${place}`) & 0x1fffffffffffffn)]
}

/** Embeddings [T, D] of tokens [T] with the change that the adapter makes of them: PEFT's LoRA of an embedding. */
export function addTableLora(embedded: Tensor, tokens: Tensor, { a, b, scale, mode }: Lora): Tensor {
  if (!mode.on) return embedded
  const inner = ops.embedding(ops.contiguous(ops.transpose(a, 0, 1)), tokens) // [T] -> [T, r]
  return inType(ops.add(inType(embedded, a.dtype), ops.linear(inner, b), scale), embedded.dtype)
}

/**
 * A linear map with its low-rank map as one plain map: [x, scale A x] @ [W, B]^T, for operators that take one matrix.
 * @returns x [T, in + r] and the weight [out, in + r]
 */
export function widened(x: Tensor, weight: Tensor, lora: Lora): [x: Tensor, weight: Tensor] {
  const { a, b, scale } = lora
  const inner = ops.mulScalar(ops.linear(inType(dropped(x, lora, a.dtype), a.dtype), a), scale) // [T, r]
  return [ops.cat([x, inType(inner, x.dtype)], 1), ops.cat([weight, inType(b, weight.dtype)], 1)]
}

const inType = (t: Tensor, dtype: DType): Tensor => (t.dtype === dtype ? t : ops.to(t, dtype))
