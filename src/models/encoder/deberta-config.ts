/** The DeBERTa-v2/v3 encoder as a reward model: config.json to its settings. */
import { usageError } from '../../errors.js'
import type { Activation } from '../../nn/activation.js'
import { ACTIVATIONS } from '../decoder/decoder-config.js'
import { refuseUnknownKeys } from '../folders/bookkeeping-keys.js'
import { ConfigReader, type HfConfig } from '../folders/config-reader.js'

export interface DebertaConfig {
  vocabSize: number
  hiddenSize: number
  intermediateSize: number
  layers: number
  heads: number
  headDim: number
  normEps: number
  activation: Activation
  poolerActivation: Activation | 'tanh'
  /** Scores of content against relative position, and of relative position against content. */
  contentToPosition: boolean
  positionToContent: boolean
  /** Relative positions go through the key and query projections of the content. */
  shareKeys: boolean
  /** Relative embeddings pass a LayerNorm first. */
  normRelative: boolean
  /** Log buckets for far distances; 0: every distance has its own embedding. */
  buckets: number
  /** Distances from here on are one. */
  maxRelative: number
  /** Absolute positions are added to the embeddings as well: then no text may be longer. */
  maxPositions?: number
}

export const isDeberta = (config: HfConfig): boolean => config.model_type === 'deberta-v2'

const BINARY: Readonly<Record<string, boolean>> = { none: false, layer_norm: true }
const POOLER: Readonly<Record<string, Activation | 'tanh'>> = { ...ACTIVATIONS, tanh: 'tanh' }

/** @throws ClhaError (exit 2) for a setting that this encoder does not compute */
export function debertaConfig(config: HfConfig, where = 'config.json'): DebertaConfig {
  const read = new ConfigReader(config, where)
  const hiddenSize = read.size('hidden_size')
  const heads =
    (config.attention_head_size ?? undefined) === undefined
      ? read.heads('num_attention_heads', 'hidden_size', hiddenSize)
      : read.size('num_attention_heads')
  read.only('relative_attention', true)
  if (config.relative_attention !== true)
    throw usageError(`${where}: "relative_attention" is off`, 'this encoder computes relative attention only')
  read.only('conv_kernel_size', 0)
  read.only('type_vocab_size', 0)
  read.only('embedding_size', hiddenSize)
  read.only('pooler_hidden_size', hiddenSize)
  // Initial values, the head of the language model, and what belongs to a convolution that is not there.
  read.ignore('initializer_range', 'legacy', 'tie_word_embeddings', 'conv_act', 'conv_groups', 'pos_att_type')
  const reach = read.size('max_position_embeddings', 512)
  const maxRelative = wholeNumber(read, 'max_relative_positions')
  const kinds = attentionKinds(config.pos_att_type, where)
  const absolute = read.flag('position_biased_input', true)
  const settings: DebertaConfig = {
    vocabSize: read.size('vocab_size'),
    hiddenSize,
    intermediateSize: read.size('intermediate_size'),
    layers: read.layers('num_hidden_layers'),
    heads,
    headDim: read.size('attention_head_size', hiddenSize / heads),
    normEps: read.notNegative('layer_norm_eps', 1e-7),
    activation: read.choice('hidden_act', ACTIVATIONS, 'gelu'),
    poolerActivation: read.choice('pooler_hidden_act', POOLER, 'gelu'),
    contentToPosition: kinds.has('c2p'),
    positionToContent: kinds.has('p2c'),
    shareKeys: read.flag('share_att_key', false),
    normRelative: read.choice('norm_rel_ebd', BINARY, 'none'),
    buckets: Math.max(0, wholeNumber(read, 'position_buckets')),
    maxRelative: maxRelative < 1 ? reach : maxRelative,
    maxPositions: absolute ? reach : undefined,
  }
  refuseUnknownKeys(read)
  return settings
}

/** -1, the value of an absent key, stands for none. */
function wholeNumber(read: ConfigReader, key: string): number {
  const value = read.number(key, -1)
  if (!Number.isInteger(value) || value < -1) throw read.wrong(key, 'a whole number of at least -1')
  return value
}

/** A list, or names joined by a bar. */
function attentionKinds(value: unknown, where: string): Set<string> {
  const kinds = new Set(typeof value === 'string' ? value.split('|') : ((value ?? []) as string[]))
  for (const kind of kinds) {
    if (kind === 'c2p' || kind === 'p2c') continue
    throw usageError(
      `${where}: "pos_att_type": ${JSON.stringify(value)} is not supported`,
      'this encoder computes "c2p" and "p2c"',
    )
  }
  return kinds
}
