/** OPT: learned positions from row 2 on, norms before or after each half, embeddings that may be narrower than the model. */
import { ACTIVATIONS, type WeightNames } from '../decoder/decoder-config.js'
import type { ConfigReader } from '../folders/config-reader.js'
import type { Family } from './family.js'
import { maxPositionsOf } from './standard.js'

const NAMES = {
  prefix: 'model.',
  embedding: 'decoder.embed_tokens',
  positions: 'decoder.embed_positions',
  layers: 'decoder.layers',
  block: {
    inputNorm: 'self_attn_layer_norm',
    query: 'self_attn.q_proj',
    key: 'self_attn.k_proj',
    value: 'self_attn.v_proj',
    output: 'self_attn.out_proj',
    mlpNorm: 'final_layer_norm',
    up: 'fc1',
    down: 'fc2',
  },
  lmHead: 'lm_head',
  score: 'score',
} satisfies WeightNames
const PROJECTED = { projectIn: 'decoder.project_in', projectOut: 'decoder.project_out' }
const FINAL_NORM = { finalNorm: 'decoder.final_layer_norm' }

function namesOf(read: ConfigReader, normBefore: boolean, projected: boolean): WeightNames {
  const withoutLast = read.flag('_remove_final_layer_norm', false)
  return {
    ...NAMES,
    ...(projected ? PROJECTED : {}),
    ...(normBefore && !withoutLast ? FINAL_NORM : {}),
  }
}

export const opt: Family = {
  modelType: 'opt',
  languageModel: 'OPTForCausalLM',
  rewardModel: 'OPTForSequenceClassification',
  settings(read) {
    const hiddenSize = read.size('hidden_size')
    const embeddingSize = read.size('word_embed_proj_dim', hiddenSize)
    const heads = read.heads('num_attention_heads', 'hidden_size', hiddenSize)
    const headDim = hiddenSize / heads
    const layers = read.layers('num_hidden_layers')
    const normBefore = read.flag('do_layer_norm_before', true)
    const bias = read.flag('enable_bias', true)
    const affine = read.flag('layer_norm_elementwise_affine', true)
    return {
      vocabSize: read.size('vocab_size'),
      hiddenSize,
      intermediateSize: read.size('ffn_dim'),
      layers,
      heads,
      kvHeads: heads,
      headDim,
      maxPositions: maxPositionsOf(read),
      initializerRange: read.notNegative('init_std', 0.02),
      tieWordEmbeddings: read.flag('tie_word_embeddings', true),
      embeddingSize,
      positionOffset: 2,
      norm: { kind: 'layer', eps: 1e-5, plain: !affine },
      residual: normBefore ? 'pre' : 'post',
      activation: read.choice('activation_function', ACTIVATIONS, 'relu'),
      ropes: [],
      layerKinds: Array.from({ length: layers }, () => ({ scale: headDim ** -0.5 })),
      bias: { qkv: bias, output: bias, mlp: bias },
      pooling: 'lastUnpadded',
      names: namesOf(read, normBefore, embeddingSize !== hiddenSize),
    }
  },
}
