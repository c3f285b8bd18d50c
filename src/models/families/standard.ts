/** Keys and names that Llama brought and that most families since have taken over. */
import type { LayerKind } from '../../nn/block-shape.js'
import { ACTIVATIONS, type DecoderConfig, type WeightNames } from '../decoder/decoder-config.js'
import type { ConfigReader } from '../folders/config-reader.js'
import { ropeOf } from './rope.js'

export const STANDARD_NAMES = {
  prefix: 'model.',
  embedding: 'embed_tokens',
  finalNorm: 'norm',
  layers: 'layers',
  block: {
    inputNorm: 'input_layernorm',
    query: 'self_attn.q_proj',
    key: 'self_attn.k_proj',
    value: 'self_attn.v_proj',
    output: 'self_attn.o_proj',
    mlpNorm: 'post_attention_layernorm',
    gate: 'mlp.gate_proj',
    up: 'mlp.up_proj',
    down: 'mlp.down_proj',
  },
  lmHead: 'lm_head',
  score: 'score',
} satisfies WeightNames

export const QUERY_KEY_NORMS = { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' }

export interface StandardKeys {
  /** Key of the activation, and its value where the key is absent. */
  activation?: string
  defaultActivation?: string
  /** Where the key is absent; unset: hidden_size / num_attention_heads. */
  headDim?: number
  tied?: boolean
  ropes?: (read: ConfigReader, headDim: number) => DecoderConfig['ropes']
}

/** The longest context of each `model_type` where config.json has none: the defaults of transformers' config classes. */
const MAX_POSITIONS: Readonly<Record<string, number>> = {
  llama: 2048,
  mistral: 131_072,
  qwen2: 32_768,
  qwen3: 32_768,
  gemma2: 8192,
  gemma3_text: 131_072,
  phi3: 4096,
  gpt_neox: 2048,
  gpt_neox_reward_model: 2048,
  gpt2: 1024,
  opt: 2048,
}

export const maxPositionsOf = (read: ConfigReader, key = 'max_position_embeddings'): number =>
  read.size(key, MAX_POSITIONS[String(read.config.model_type)])

/** RMSNorm before each half, grouped queries, a gated MLP, no biases, rotary positions in every layer. */
export function standardSettings(read: ConfigReader, keys: StandardKeys = {}): Omit<DecoderConfig, 'family'> {
  const hiddenSize = read.size('hidden_size')
  const ownHeadDim = keys.headDim !== undefined || (read.config.head_dim ?? undefined) !== undefined
  const heads = ownHeadDim
    ? read.size('num_attention_heads')
    : read.heads('num_attention_heads', 'hidden_size', hiddenSize)
  const headDim = read.size('head_dim', keys.headDim ?? hiddenSize / heads)
  const layers = read.layers('num_hidden_layers')
  return {
    vocabSize: read.size('vocab_size'),
    hiddenSize,
    intermediateSize: read.size('intermediate_size'),
    layers,
    heads,
    kvHeads: keyValueHeads(read, heads),
    headDim,
    maxPositions: maxPositionsOf(read),
    initializerRange: read.notNegative('initializer_range', 0.02),
    tieWordEmbeddings: read.flag('tie_word_embeddings', keys.tied ?? false),
    norm: { kind: 'rms', eps: read.notNegative('rms_norm_eps', 1e-6) },
    residual: 'pre',
    activation: read.choice(keys.activation ?? 'hidden_act', ACTIVATIONS, keys.defaultActivation ?? 'silu'),
    ropes: keys.ropes?.(read, headDim) ?? [ropeOf(read, headDim)],
    layerKinds: sameLayers(layers, headDim ** -0.5),
    bias: { qkv: false, output: false, mlp: false },
    pooling: 'lastUnpadded',
    names: STANDARD_NAMES,
  }
}

/** Query heads share those of keys and values in groups of one size. */
function keyValueHeads(read: ConfigReader, heads: number): number {
  const found = read.size('num_key_value_heads', heads)
  if (heads % found !== 0)
    throw read.wrong('num_key_value_heads', `a divisor of "num_attention_heads", which is ${heads}`)
  return found
}

/** Layers that do not differ. */
export const sameLayers = (layers: number, scale: number, window?: number): LayerKind[] =>
  Array.from({ length: layers }, () => ({ scale, window, rope: 0 }))

/** Bias of queries, keys, values and output by one flag. */
export const attentionBias = (read: ConfigReader, mlp = false) => {
  const attention = read.flag('attention_bias', false)
  return { qkv: attention, output: attention, mlp }
}

const LAYER_TYPES = { full_attention: false, sliding_attention: true }

/** Which layers see a window only: `layer_types`, or what the family does without that key. */
export const slidingLayers = (
  read: ConfigReader,
  layers: number,
  otherwise: (layer: number) => boolean,
): boolean[] =>
  read.perLayer('layer_types', layers, LAYER_TYPES) ?? Array.from({ length: layers }, (_, i) => otherwise(i))
