/** One decoder block on the packed stream: normed attention and normed gated MLP, each added to the residual. */
import { ops, type Tensor } from '../tensor/index.js'
import type { LayerCache } from './cache.js'
import { type Projection, project } from './projection.js'

export interface Block {
  inputNorm: Tensor
  query: Projection
  key: Projection
  value: Projection
  output: Projection
  mlpNorm: Tensor
  gate: Projection
  up: Projection
  down: Projection
}

export interface BlockShape {
  heads: number
  kvHeads: number
  headDim: number
  normEps: number
}

/** What a block needs to know of the stream. */
export interface StreamContext {
  cos: Tensor
  sin: Tensor
  segments: Tensor
  cacheRows?: Tensor
}

/** x * weight / rms(x), [T, D] -> [T, D] */
export function norm(x: Tensor, weight: Tensor, eps: number): Tensor {
  return ops.rmsNorm(x, [weight.shape[0]], weight, eps)
}

/** hidden [T, D] -> [T, D] */
export function runBlock(
  hidden: Tensor,
  block: Block,
  shape: BlockShape,
  stream: StreamContext,
  cache?: LayerCache,
): Tensor {
  const attended = attention(norm(hidden, block.inputNorm, shape.normEps), block, shape, stream, cache)
  const middle = ops.add(hidden, attended)
  return ops.add(middle, mlp(norm(middle, block.mlpNorm, shape.normEps), block))
}

function attention(
  x: Tensor,
  block: Block,
  shape: BlockShape,
  stream: StreamContext,
  cache?: LayerCache,
): Tensor {
  const { heads, kvHeads, headDim } = shape
  const asHeads = (p: Projection, n: number) => ops.view(project(x, p), [-1, n, headDim]) // [T, D] -> [T, H, d]
  const q = ops.rotary(asHeads(block.query, heads), stream.cos, stream.sin)
  let k = ops.rotary(asHeads(block.key, kvHeads), stream.cos, stream.sin)
  let v = asHeads(block.value, kvHeads)
  if (cache && stream.cacheRows) {
    ops.indexCopyInPlace(cache.keys, 0, stream.cacheRows, k)
    ops.indexCopyInPlace(cache.values, 0, stream.cacheRows, v)
    k = cache.keys
    v = cache.values
  }
  const out = ops.packedAttention(q, k, v, stream.segments, headDim ** -0.5)
  return project(ops.view(out, [-1, heads * headDim]), block.output)
}

/** SwiGLU: down(silu(gate(x)) * up(x)) */
function mlp(x: Tensor, block: Block): Tensor {
  return project(ops.mul(ops.silu(project(x, block.gate)), project(x, block.up)), block.down)
}
