/** Mistral: Llama with a sliding window in every layer. */
import type { Family } from './family.js'
import { sameLayers, standardSettings } from './standard.js'

export const mistral: Family = {
  modelType: 'mistral',
  languageModel: 'MistralForCausalLM',
  rewardModel: 'MistralForSequenceClassification',
  settings(read) {
    const base = standardSettings(read)
    const window = read.optionalSize('sliding_window', 4096)
    return { ...base, layerKinds: sameLayers(base.layers, base.headDim ** -0.5, window) }
  },
}
