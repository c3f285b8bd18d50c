/** Phi-3 and Phi-4: fused projections; a part of each head may be rotated. */
import type { WeightNames } from '../decoder/decoder-config.js'
import type { Family } from './family.js'
import { ropeOf } from './rope.js'
import { STANDARD_NAMES, sameLayers, standardSettings } from './standard.js'

const { inputNorm, output, mlpNorm, down } = STANDARD_NAMES.block
const NAMES: WeightNames = {
  ...STANDARD_NAMES,
  block: {
    inputNorm,
    queryKeyValue: 'self_attn.qkv_proj',
    output,
    mlpNorm,
    gateUp: 'mlp.gate_up_proj',
    down,
  },
}

export const phi3: Family = {
  modelType: 'phi3',
  languageModel: 'Phi3ForCausalLM',
  rewardModel: 'Phi3ForSequenceClassification',
  settings(read) {
    read.ignore('original_max_position_embeddings') // of longrope, which is refused
    read.only('attention_bias', false)
    const base = standardSettings(read, {
      ropes: (config, headDim) => [ropeOf(config, headDim, { partial: 'partial_rotary_factor' })],
    })
    const window = read.optionalSize('sliding_window')
    const norm = { ...base.norm, eps: read.notNegative('rms_norm_eps', 1e-5) }
    return { ...base, norm, layerKinds: sameLayers(base.layers, base.headDim ** -0.5, window), names: NAMES }
  },
}
