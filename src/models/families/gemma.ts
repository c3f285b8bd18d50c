/** Gemma 2 and 3 (text): scaled embeddings, norms before and after each half, soft caps, local and global layers. */
import type { DecoderConfig, WeightNames } from '../decoder/decoder-config.js'
import type { ConfigReader } from '../folders/config-reader.js'
import type { Family } from './family.js'
import { ropeFrom } from './rope.js'
import {
  attentionBias,
  QUERY_KEY_NORMS,
  STANDARD_NAMES,
  type StandardKeys,
  slidingLayers,
  standardSettings,
} from './standard.js'

const NAMES = {
  ...STANDARD_NAMES,
  block: {
    ...STANDARD_NAMES.block,
    afterAttentionNorm: 'post_attention_layernorm',
    mlpNorm: 'pre_feedforward_layernorm',
    afterMlpNorm: 'post_feedforward_layernorm',
  },
} satisfies WeightNames

function gemma(
  read: ConfigReader,
  otherwise: (layer: number) => boolean,
  caps: { attention?: number; logits?: number },
  ropes?: StandardKeys['ropes'],
): { base: Omit<DecoderConfig, 'family'>; sliding: boolean[] } {
  read.only('use_bidirectional_attention', false)
  read.ignore('hidden_act') // transformers computes hidden_activation
  const plain = standardSettings(read, {
    activation: 'hidden_activation',
    defaultActivation: 'gelu_pytorch_tanh',
    headDim: 256,
    tied: true,
    ropes,
  })
  const sliding = slidingLayers(read, plain.layers, otherwise)
  const scale = read.positive('query_pre_attn_scalar', 256) ** -0.5
  const width = read.optionalSize('sliding_window', 4096)
  read.only('sliding_window_size', width) // Gemma 2's 9 B and 27 B say it twice; transformers computes the other
  const base = {
    ...plain,
    norm: { ...plain.norm, gainOffset: 1 },
    embeddingScale: Math.sqrt(plain.hiddenSize),
    bias: attentionBias(read),
    attentionSoftcap: read.optional('attn_logit_softcapping', caps.attention),
    logitSoftcap: read.optional('final_logit_softcapping', caps.logits),
    layerKinds: sliding.map((local) => ({ scale, window: local ? width : undefined, rope: 0 })),
    names: NAMES,
  }
  return { base, sliding }
}

export const gemma2: Family = {
  modelType: 'gemma2',
  languageModel: 'Gemma2ForCausalLM',
  rewardModel: 'Gemma2ForSequenceClassification',
  settings: (read) => gemma(read, (i) => i % 2 === 0, { attention: 50, logits: 30 }).base,
}

/** Every sixth layer is global, with a rotary base of its own. */
export const gemma3: Family = {
  modelType: 'gemma3_text',
  languageModel: 'Gemma3ForCausalLM',
  rewardModel: 'Gemma3TextForSequenceClassification',
  settings(read) {
    const pattern = read.size('sliding_window_pattern', 6)
    const { base, sliding } = gemma(read, (i) => (i + 1) % pattern !== 0, {}, localAndGlobal)
    return {
      ...base,
      layerKinds: base.layerKinds.map((kind, i) => ({ ...kind, rope: sliding[i] ? 1 : 0 })),
      names: { ...NAMES, block: { ...NAMES.block, ...QUERY_KEY_NORMS } },
    }
  },
}

/** The global table, then the local one. Only the global one is ever scaled. */
function localAndGlobal(read: ConfigReader, headDim: number): DecoderConfig['ropes'] {
  const [global, local] = [read.positive('rope_theta', 1e6), read.positive('rope_local_base_freq', 1e4)]
  const both = read.mapping('rope_parameters')
  const scaling = read.mapping('rope_scaling')
  return [
    ropeFrom(both?.mapping('full_attention') ?? scaling, headDim, global),
    ropeFrom(both?.mapping('sliding_attention'), headDim, local),
  ]
}
