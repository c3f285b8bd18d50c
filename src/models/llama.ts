/** The Llama family: config keys to decoder settings, weight names to places in a block. */
import { type ConfigReader, type DecoderConfig, ropeOf } from './config.js'

export function llamaConfig(read: ConfigReader, where: string): DecoderConfig {
  read.only('hidden_act', 'silu')
  read.only('pretraining_tp', 1)
  read.only('attention_dropout', 0)
  const hiddenSize = read.size('hidden_size')
  const heads = read.size('num_attention_heads')
  return {
    family: 'llama',
    vocabSize: read.size('vocab_size'),
    hiddenSize,
    intermediateSize: read.size('intermediate_size'),
    layers: read.size('num_hidden_layers'),
    heads,
    kvHeads: read.size('num_key_value_heads', heads),
    headDim: read.size('head_dim', hiddenSize / heads),
    normEps: read.number('rms_norm_eps', 1e-6),
    ...ropeOf(read, where),
    tieWordEmbeddings: read.flag('tie_word_embeddings', false),
    attentionBias: read.flag('attention_bias', false),
    mlpBias: read.flag('mlp_bias', false),
    maxPositions: read.size('max_position_embeddings', 2048),
    initializerRange: read.number('initializer_range', 0.02),
  }
}
