/** What a family is: names of its classes in transformers, and a function from config.json to the decoder's description. */
import type { DecoderConfig } from '../decoder/decoder-config.js'
import type { ConfigReader } from '../folders/config-reader.js'

export interface Family {
  modelType: string
  /** `architectures` of config.json; a family of reward models has no language model. */
  languageModel?: string
  rewardModel: string
  settings(read: ConfigReader): Omit<DecoderConfig, 'family'>
}
