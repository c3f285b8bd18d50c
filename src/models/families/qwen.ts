/** Qwen 2, 2.5 (biases of queries, keys and values) and 3 (norms of each head's query and key); windows where asked for. */
import type { DecoderConfig } from '../decoder/decoder-config.js'
import type { ConfigReader } from '../folders/config-reader.js'
import type { Family } from './family.js'
import {
  attentionBias,
  QUERY_KEY_NORMS,
  STANDARD_NAMES,
  slidingLayers,
  standardSettings,
} from './standard.js'

function windows(
  read: ConfigReader,
  { layers, layerKinds }: Pick<DecoderConfig, 'layers' | 'layerKinds'>,
): DecoderConfig['layerKinds'] {
  const width = read.optionalSize('sliding_window', 4096)
  const window = read.flag('use_sliding_window', false) ? width : undefined
  const first = read.notNegative('max_window_layers', 28)
  const sliding = slidingLayers(read, layers, (i) => window !== undefined && i >= first)
  return layerKinds.map((kind, i) => (sliding[i] ? { ...kind, window } : kind))
}

export const qwen2: Family = {
  modelType: 'qwen2',
  languageModel: 'Qwen2ForCausalLM',
  rewardModel: 'Qwen2ForSequenceClassification',
  settings(read) {
    const base = standardSettings(read)
    const bias = { qkv: true, output: false, mlp: false }
    return { ...base, bias, layerKinds: windows(read, base) }
  },
}

export const qwen3: Family = {
  modelType: 'qwen3',
  languageModel: 'Qwen3ForCausalLM',
  rewardModel: 'Qwen3ForSequenceClassification',
  settings(read) {
    const base = standardSettings(read, { headDim: 128 })
    const names = { ...STANDARD_NAMES, block: { ...STANDARD_NAMES.block, ...QUERY_KEY_NORMS } }
    return { ...base, names, bias: attentionBias(read), layerKinds: windows(read, base) }
  },
}
