/** GPT-NeoX and Pythia: LayerNorm, partial rotary, parallel residual; and Open-Assistant's reward model on it. */
import { ACTIVATIONS, type WeightNames } from '../decoder/decoder-config.js'
import type { Family } from './family.js'
import { ropeOf } from './rope.js'
import { maxPositionsOf, sameLayers } from './standard.js'

const NAMES: WeightNames = {
  prefix: 'gpt_neox.',
  embedding: 'embed_in',
  finalNorm: 'final_layer_norm',
  layers: 'layers',
  block: {
    inputNorm: 'input_layernorm',
    queryKeyValue: 'attention.query_key_value',
    output: 'attention.dense',
    mlpNorm: 'post_attention_layernorm',
    up: 'mlp.dense_h_to_4h',
    down: 'mlp.dense_4h_to_h',
  },
  lmHead: 'embed_out',
  score: 'score',
}

export const gptNeoX: Family = {
  modelType: 'gpt_neox',
  languageModel: 'GPTNeoXForCausalLM',
  rewardModel: 'GPTNeoXForSequenceClassification',
  settings(read) {
    const hiddenSize = read.size('hidden_size')
    const heads = read.heads('num_attention_heads', 'hidden_size', hiddenSize)
    const headDim = hiddenSize / heads
    const layers = read.layers('num_hidden_layers')
    const attention = read.flag('attention_bias', true)
    const keys = { theta: 'rotary_emb_base', partial: 'rotary_pct', defaultPartial: 0.25 }
    // transformers from 4.43 to 4.57 write the two a second time, and compute them from the older names.
    read.only('rope_theta', read.positive(keys.theta, 10000))
    read.only('partial_rotary_factor', read.positive(keys.partial, keys.defaultPartial))
    return {
      vocabSize: read.size('vocab_size'),
      hiddenSize,
      intermediateSize: read.size('intermediate_size'),
      layers,
      heads,
      kvHeads: heads,
      headDim,
      maxPositions: maxPositionsOf(read),
      initializerRange: read.notNegative('initializer_range', 0.02),
      tieWordEmbeddings: read.flag('tie_word_embeddings', false),
      norm: { kind: 'layer', eps: read.notNegative('layer_norm_eps', 1e-5) },
      residual: read.flag('use_parallel_residual', true) ? 'parallel' : 'pre',
      activation: read.choice('hidden_act', ACTIVATIONS, 'gelu'),
      interleaved: true,
      ropes: [ropeOf(read, headDim, keys)],
      layerKinds: sameLayers(layers, headDim ** -0.5),
      bias: { qkv: attention, output: attention, mlp: true },
      pooling: 'lastUnpadded',
      names: NAMES,
    }
  },
}

const POOLING = { mean: 'mean', last: 'last' } as const

/** Open-Assistant's `GPTNeoXRewardModel`; its "mean" is the mean over the tokens of the dialogue. */
export const gptNeoXReward: Family = {
  modelType: 'gpt_neox_reward_model',
  rewardModel: 'GPTNeoXRewardModel',
  settings(read) {
    const base = gptNeoX.settings(read)
    return {
      ...base,
      bias: { ...base.bias, score: true },
      pooling: read.choice('pooling', POOLING, 'last'),
      names: { ...NAMES, score: 'out_proj' },
    }
  },
}
