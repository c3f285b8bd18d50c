/** Which `model_type` is which family. A family is one row. */
import { usageError } from '../../errors.js'
import type { DecoderConfig } from '../decoder/decoder-config.js'
import { refuseUnknownKeys } from '../folders/bookkeeping-keys.js'
import { ConfigReader, type HfConfig } from '../folders/config-reader.js'
import type { HeadKind } from '../folders/weights.js'
import type { Family } from './family.js'
import { gemma2, gemma3 } from './gemma.js'
import { gptNeoX, gptNeoXReward } from './gpt-neox.js'
import { gpt2 } from './gpt2.js'
import { llama } from './llama.js'
import { mistral } from './mistral.js'
import { opt } from './opt.js'
import { phi3 } from './phi3.js'
import { qwen2, qwen3 } from './qwen.js'

const FAMILIES: ReadonlyMap<string, Family> = new Map(
  [llama, mistral, qwen2, qwen3, gemma2, gemma3, phi3, gptNeoX, gptNeoXReward, gpt2, opt].map((family) => [
    family.modelType,
    family,
  ]),
)

function familyOf(config: HfConfig, where: string): Family {
  const type = String(config.model_type)
  const family = FAMILIES.get(type)
  if (family) return family
  throw usageError(
    `${where}: model_type "${type}" is not supported`,
    `supported: ${[...FAMILIES.keys()].join(', ')}`,
  )
}

/** @throws ClhaError (exit 2) for a family, or a setting of it, that this decoder does not compute */
export function decoderConfig(config: HfConfig, where = 'config.json'): DecoderConfig {
  const family = familyOf(config, where)
  const read = new ConfigReader(config, where)
  const decoder = { family: family.modelType, ...family.settings(read) }
  refuseUnknownKeys(read)
  return decoder
}

/**
 * Whether a folder's config is of a reward model or of a language model.
 * @throws ClhaError (exit 2) for a class of transformers that is neither, and for a reward model with several labels
 */
export function headOf(config: HfConfig, where: string): HeadKind {
  const architecture = (config.architectures as string[] | undefined)?.[0]
  const family = FAMILIES.get(String(config.model_type))
  const classifies = architecture?.endsWith('ForSequenceClassification') ?? false
  if (family && architecture !== undefined && !classifies) {
    const known = [family.languageModel, family.rewardModel].filter((name) => name !== undefined)
    if (!known.includes(architecture)) {
      throw usageError(
        `${where}: the architecture "${architecture}" is not supported`,
        `supported for model_type "${family.modelType}": ${known.join(', ')}`,
      )
    }
  }
  if (!classifies) {
    const rewards = family && (family.languageModel === undefined || architecture === family.rewardModel)
    return rewards ? 'reward' : 'lm'
  }
  const labels = config.num_labels ?? Object.keys((config.id2label as object | undefined) ?? { 0: '' }).length
  if (labels !== 1) throw usageError(`${where}: a reward model has 1 label, this one has ${String(labels)}`)
  return 'reward'
}

/** config.json of a reward model with the backbone of `config`. */
export function rewardConfig(config: HfConfig): HfConfig {
  const { rewardModel } = familyOf(config, 'config.json')
  const { id2label: _, label2id: __, ...backbone } = config
  return { ...backbone, architectures: [rewardModel], num_labels: 1 }
}
