/** Attention of one block: queries, keys and values from the hidden states, turned by position, over stream or cache. */
import { ops, type Tensor } from '../tensor/index.js'
import { type Block, type BlockShape, rounded, type StreamContext } from './block-shape.js'
import type { LayerCache } from './cache.js'
import { norm } from './norm.js'
import { type Projection, project } from './projection.js'

/** x [T, D] -> [T, D] */
export function attention(
  x: Tensor,
  block: Block,
  shape: BlockShape,
  stream: StreamContext,
  cache?: LayerCache,
): Tensor {
  const { scale, window, rope } = block.layer
  let [q, k, v] = queryKeyValue(rounded(x, stream), block, shape)
  if (block.queryNorm) q = norm(q, block.queryNorm, shape.norm)
  if (block.keyNorm) k = norm(k, block.keyNorm, shape.norm)
  if (rope !== undefined) {
    const { cos, sin } = stream.rotary[rope]
    q = ops.rotary(q, cos, sin)
    k = ops.rotary(k, cos, sin)
  }
  if (cache && stream.cacheRows) {
    ops.writeRows(cache.keys, stream.cacheRows, k)
    ops.writeRows(cache.values, stream.cacheRows, v)
    k = cache.keys
    v = cache.values
  }
  const out = ops.packedAttention(q, k, v, stream.segments, scale, window ?? 0, shape.attentionSoftcap ?? 0)
  const joined = ops.view(out, [-1, shape.heads * shape.headDim])
  return project(rounded(joined, stream), block.output)
}

/** [T, D] -> q [T, H, d], k and v [T, Hkv, d] */
function queryKeyValue(x: Tensor, block: Block, shape: BlockShape): [Tensor, Tensor, Tensor] {
  const { heads, kvHeads, headDim } = shape
  const asHeads = (p: Projection, n: number) => ops.view(project(x, p), [-1, n, headDim])
  if (!block.queryKeyValue) {
    const { query, key, value } = block as Required<Block>
    return [asHeads(query, heads), asHeads(key, kvHeads), asHeads(value, kvHeads)]
  }
  if (shape.interleaved) {
    const each = ops.view(project(x, block.queryKeyValue), [-1, heads, 3, headDim])
    return [ops.select(each, 2, 0), ops.select(each, 2, 1), ops.select(each, 2, 2)]
  }
  const all = asHeads(block.queryKeyValue, heads + 2 * kvHeads)
  return ops.split(all, [heads, kvHeads, kvHeads], 1) as [Tensor, Tensor, Tensor]
}
