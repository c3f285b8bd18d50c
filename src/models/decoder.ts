/** One decoder for every family, on the packed stream: the same forward trains, scores and generates. */
import { type Block, type BlockShape, norm, runBlock } from '../nn/block.js'
import { type KeyValueCache, keyValueCache } from '../nn/cache.js'
import type { PackedStream } from '../nn/layout.js'
import { RotaryTables } from '../nn/rotary.js'
import { type DType, keep, ops, type Tensor } from '../tensor/index.js'
import type { DecoderConfig, HfConfig } from './config.js'
import { blockOf, type HeadKind } from './weights.js'

export interface Decoder {
  config: DecoderConfig
  head: HeadKind
  /** config.json as it was read or made; saved again beside the weights. */
  hfConfig: HfConfig
  dtype: DType
  /** By Hugging Face name, in a fixed order. Owned by the model. */
  weights: Map<string, Tensor>
  blocks: Block[]
  rotary: RotaryTables
  dispose(): void
}

/** Puts weights in their places. The decoder owns them from here on. */
export function assembleDecoder(
  config: DecoderConfig,
  head: HeadKind,
  hfConfig: HfConfig,
  weights: Map<string, Tensor>,
  dtype: DType,
): Decoder {
  for (const tensor of weights.values()) keep(tensor)
  const rotary = new RotaryTables(
    { theta: config.ropeTheta, dimensions: config.headDim, scaling: config.ropeScaling },
    dtype,
  )
  return {
    config,
    head,
    hfConfig,
    dtype,
    weights,
    blocks: Array.from({ length: config.layers }, (_, i) => blockOf(weights, i)),
    rotary,
    dispose: () => {
      for (const tensor of weights.values()) tensor.dispose()
      rotary.dispose()
    },
  }
}

/**
 * Hidden states after the last norm, [T, D]. `stream.segments` says who may look at whom.
 * @param cache keys and values of past tokens; the stream's own are written to `stream.cacheRows`
 */
export function decode(model: Decoder, stream: PackedStream, cache?: KeyValueCache): Tensor {
  const { config } = model
  const shape: BlockShape = {
    heads: config.heads,
    kvHeads: config.kvHeads,
    headDim: config.headDim,
    normEps: config.normEps,
  }
  const reach = stream.tokens.shape[0] === 0 ? 1 : ops.max(stream.positions).item() + 1
  const { cos, sin } = model.rotary.at(stream.positions, reach)
  const context = { cos, sin, segments: stream.segments, cacheRows: stream.cacheRows }
  let hidden = ops.embedding(model.weights.get('model.embed_tokens.weight') as Tensor, stream.tokens) // [T, D]
  model.blocks.forEach((block, i) => {
    hidden = runBlock(hidden, block, shape, context, cache?.layers[i])
  })
  return norm(hidden, model.weights.get('model.norm.weight') as Tensor, config.normEps)
}

/** The LM head's weight, [V, D]. */
export function lmHead(model: Decoder): Tensor {
  const own = model.weights.get('lm_head.weight')
  return own ?? (model.weights.get('model.embed_tokens.weight') as Tensor)
}

/** Logits of hidden rows, [R, D] -> [R, V]. */
export function logits(model: Decoder, hidden: Tensor): Tensor {
  return ops.linear(hidden, lmHead(model))
}

/** Rewards at the given rows of the stream, [T, D] -> [n]. */
export function rewards(model: Decoder, hidden: Tensor, rows: Tensor): Tensor {
  const pooled = ops.indexSelect(hidden, 0, rows)
  return ops.squeeze(ops.linear(pooled, model.weights.get('score.weight') as Tensor), 1)
}

export function createCache(model: Decoder, rows: number): KeyValueCache {
  const { layers, kvHeads, headDim } = model.config
  return keyValueCache(layers, rows, kvHeads, headDim, model.dtype)
}

export function parameterCount(model: Decoder): number {
  let count = 0
  for (const tensor of model.weights.values()) count += tensor.shape.reduce((a, b) => a * b, 1)
  return count
}
