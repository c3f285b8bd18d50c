/** GPT-2: learned positions, fused queries, keys and values, matrices stored as [in, out]. */
import { ACTIVATIONS, type WeightNames } from '../decoder/decoder-config.js'
import type { Family } from './family.js'
import { maxPositionsOf } from './standard.js'

const NAMES: WeightNames = {
  prefix: 'transformer.',
  embedding: 'wte',
  positions: 'wpe',
  finalNorm: 'ln_f',
  layers: 'h',
  block: {
    inputNorm: 'ln_1',
    queryKeyValue: 'attn.c_attn',
    output: 'attn.c_proj',
    mlpNorm: 'ln_2',
    up: 'mlp.c_fc',
    down: 'mlp.c_proj',
  },
  transposed: true,
  lmHead: 'lm_head',
  score: 'score',
}

export const gpt2: Family = {
  modelType: 'gpt2',
  languageModel: 'GPT2LMHeadModel',
  rewardModel: 'GPT2ForSequenceClassification',
  settings(read) {
    const hiddenSize = read.size('n_embd')
    const heads = read.heads('n_head', 'n_embd', hiddenSize)
    const headDim = hiddenSize / heads
    const layers = read.layers('n_layer')
    const scale = read.flag('scale_attn_weights', true) ? headDim ** -0.5 : 1
    const byLayer = read.flag('scale_attn_by_inverse_layer_idx', false)
    read.ignore('n_ctx', 'reorder_and_upcast_attn') // the older name of n_positions; a matter of rounding in f16
    return {
      vocabSize: read.size('vocab_size'),
      hiddenSize,
      intermediateSize: read.size('n_inner', 4 * hiddenSize),
      layers,
      heads,
      kvHeads: heads,
      headDim,
      maxPositions: maxPositionsOf(read, 'n_positions'),
      initializerRange: read.notNegative('initializer_range', 0.02),
      tieWordEmbeddings: read.flag('tie_word_embeddings', true),
      positionOffset: 0,
      norm: { kind: 'layer', eps: read.notNegative('layer_norm_epsilon', 1e-5) },
      residual: 'pre',
      activation: read.choice('activation_function', ACTIVATIONS, 'gelu_new'),
      ropes: [],
      layerKinds: Array.from({ length: layers }, (_, i) => ({ scale: byLayer ? scale / (i + 1) : scale })),
      bias: { qkv: true, output: true, mlp: true },
      pooling: 'lastUnpadded',
      names: NAMES,
    }
  },
}
