/** Llama 2 and 3.x, and all that took over its class, such as SmolLM. */
import type { Family } from './family.js'
import { attentionBias, standardSettings } from './standard.js'

export const llama: Family = {
  modelType: 'llama',
  languageModel: 'LlamaForCausalLM',
  rewardModel: 'LlamaForSequenceClassification',
  settings(read) {
    read.only('pretraining_tp', 1)
    return { ...standardSettings(read), bias: attentionBias(read, read.flag('mlp_bias', false)) }
  },
}
