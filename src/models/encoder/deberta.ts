/** The DeBERTa-v2/v3 encoder with its pooler and its score: a reward model that reads prompt and answer in both directions. */
import type { PackedBatch } from '../../data/encode/pack.js'
import { activate } from '../../nn/activation.js'
import { disentangledAttention, type Sequence } from '../../nn/disentangled.js'
import { norm } from '../../nn/norm.js'
import { project } from '../../nn/projection.js'
import { relativeSpan, relativeTable } from '../../nn/relative-position.js'
import { i64, keep, ops, scope, type Tensor } from '../../tensor/index.js'
import type { RewardScorer } from '../decoder/reward-scorer.js'
import type { WeightSpec } from '../folders/weights.js'
import type { DebertaConfig } from './deberta-config.js'

type Weights = ReadonlyMap<string, Tensor>

const layerName = (i: number) => `deberta.encoder.layer.${i}`

/** Every tensor of the model, by Hugging Face name. */
export function debertaSpecs(c: DebertaConfig): WeightSpec[] {
  const out: WeightSpec[] = []
  const width = c.heads * c.headDim
  const linear = (name: string, rows: number, columns: number) =>
    out.push(
      { name: `${name}.weight`, shape: [rows, columns], init: 'normal' },
      { name: `${name}.bias`, shape: [rows], init: 'zeros' },
    )
  const table = (name: string, rows: number) =>
    out.push({ name: `${name}.weight`, shape: [rows, c.hiddenSize], init: 'normal' })
  const normed = (name: string) =>
    out.push(
      { name: `${name}.weight`, shape: [c.hiddenSize], init: 'ones' },
      { name: `${name}.bias`, shape: [c.hiddenSize], init: 'zeros' },
    )
  table('deberta.embeddings.word_embeddings', c.vocabSize)
  if (c.maxPositions !== undefined) table('deberta.embeddings.position_embeddings', c.maxPositions)
  normed('deberta.embeddings.LayerNorm')
  for (let i = 0; i < c.layers; i++) {
    const name = layerName(i)
    for (const part of selfParts(c)) linear(`${name}.attention.self.${part}`, width, c.hiddenSize)
    linear(`${name}.attention.output.dense`, c.hiddenSize, width)
    normed(`${name}.attention.output.LayerNorm`)
    linear(`${name}.intermediate.dense`, c.intermediateSize, c.hiddenSize)
    linear(`${name}.output.dense`, c.hiddenSize, c.intermediateSize)
    normed(`${name}.output.LayerNorm`)
  }
  table('deberta.encoder.rel_embeddings', 2 * spanOf(c))
  if (c.normRelative) normed('deberta.encoder.LayerNorm')
  linear('pooler.dense', c.hiddenSize, c.hiddenSize)
  linear('classifier', 1, c.hiddenSize)
  return out
}

const rangeOf = ({ buckets, maxRelative }: DebertaConfig) => ({ buckets, maxDistance: maxRelative })
const spanOf = (c: DebertaConfig) => relativeSpan(rangeOf(c))

function selfParts(c: DebertaConfig): string[] {
  const own = c.shareKeys
    ? []
    : [...(c.contentToPosition ? ['pos_key_proj'] : []), ...(c.positionToContent ? ['pos_query_proj'] : [])]
  return ['query_proj', 'key_proj', 'value_proj', ...own]
}

/** The scorer owns the weights from here on. It only scores: nothing here keeps a gradient's history. */
export function debertaScorer(config: DebertaConfig, weights: Map<string, Tensor>): RewardScorer {
  for (const tensor of weights.values()) keep(tensor)
  return {
    sharesPrompts: false,
    config: {
      vocabSize: config.vocabSize,
      // Relative positions reach any distance: far ones share an embedding.
      maxPositions: config.maxPositions ?? Number.POSITIVE_INFINITY,
    },
    rewards: (batch) => scope(() => rewardsOf(config, weights, batch)),
    dispose: () => {
      for (const tensor of weights.values()) tensor.dispose()
    },
  }
}

/** [C], read at each sequence's first token. */
function rewardsOf(config: DebertaConfig, weights: Weights, batch: PackedBatch): Tensor {
  const sequences = batch.segments.filter(({ start, end }) => end > start)
  if (sequences.some((s) => s.contextEnd > s.contextStart))
    throw new Error('an encoder reads every answer with a prompt of its own')
  const hidden = encode(config, weights, batch, sequences)
  const first = ops.indexSelect(hidden, 0, i64(sequences.map(({ start }) => start))) // [T, D] -> [C, D]
  const pooled = project(first, linearOf(weights, 'pooler.dense'))
  const { poolerActivation: kind } = config
  const active = kind === 'tanh' ? ops.tanh(pooled) : activate(pooled, kind)
  return ops.squeeze(project(active, linearOf(weights, 'classifier')), 1)
}

/** Hidden states after the last layer, [T, D]. */
function encode(c: DebertaConfig, weights: Weights, batch: PackedBatch, sequences: Sequence[]): Tensor {
  const kind = { kind: 'layer', eps: c.normEps } as const
  const normed = (x: Tensor, name: string) => norm(x, linearOf(weights, name), kind)
  const rows = (name: string, index: Int32Array) =>
    ops.embedding(weights.get(`deberta.embeddings.${name}.weight`) as Tensor, i64(index))
  const words = rows('word_embeddings', batch.tokens)
  const placed =
    c.maxPositions === undefined ? words : ops.add(words, rows('position_embeddings', batch.positions))
  const raw = weights.get('deberta.encoder.rel_embeddings.weight') as Tensor
  const relative = c.normRelative ? normed(raw, 'deberta.encoder.LayerNorm') : raw
  const longest = Math.max(...sequences.map(({ start, end }) => end - start))
  const context = { relative, sequences, table: relativeTable(longest, rangeOf(c)) }
  let hidden = normed(placed, 'deberta.embeddings.LayerNorm')
  for (let i = 0; i < c.layers; i++) {
    hidden = scope(() => {
      const attended = attention(c, weights, `${layerName(i)}.attention`, hidden, context)
      const middle = normed(ops.add(attended, hidden), `${layerName(i)}.attention.output.LayerNorm`)
      const wide = project(middle, linearOf(weights, `${layerName(i)}.intermediate.dense`))
      const down = project(activate(wide, c.activation), linearOf(weights, `${layerName(i)}.output.dense`))
      return normed(ops.add(down, middle), `${layerName(i)}.output.LayerNorm`)
    })
  }
  return hidden
}

interface Context {
  /** [2 * span, D] */
  relative: Tensor
  sequences: Sequence[]
  table: Tensor
}

/** [T, D] -> [T, D] */
function attention(
  c: DebertaConfig,
  weights: Weights,
  name: string,
  hidden: Tensor,
  { relative, sequences, table }: Context,
): Tensor {
  const part = (x: Tensor, which: string) => project(x, linearOf(weights, `${name}.self.${which}`))
  const mixed = disentangledAttention(
    {
      query: part(hidden, 'query_proj'),
      key: part(hidden, 'key_proj'),
      value: part(hidden, 'value_proj'),
      positionKey: c.contentToPosition
        ? part(relative, c.shareKeys ? 'key_proj' : 'pos_key_proj')
        : undefined,
      positionQuery: c.positionToContent
        ? part(relative, c.shareKeys ? 'query_proj' : 'pos_query_proj')
        : undefined,
      table,
    },
    sequences,
    c.heads,
    c.headDim,
  )
  return project(mixed, linearOf(weights, `${name}.output.dense`))
}

/** Weight and bias of a linear map or a norm. */
const linearOf = (weights: Weights, name: string) => ({
  weight: weights.get(`${name}.weight`) as Tensor,
  bias: weights.get(`${name}.bias`),
})
