/** A reward model of any architecture with its tokenizer and the format that it reads. */

import { usageError } from '../errors.js'
import { baseFolderOf } from '../models/adapters/adapter-load.js'
import type { Bits } from '../models/decoder/quantized.js'
import { decoderScorer, perplexityScorer, type RewardScorer } from '../models/decoder/reward-scorer.js'
import { readHfConfig } from '../models/folders/load-model.js'
import { loadRewardScorer } from '../models/folders/load-reward.js'
import { resolveModelFolder, tokenizerFolderOf } from '../models/folders/model-folder.js'
import { REWARD_FORMATS, rewardTemplate } from '../reward/input-format.js'
import type { DType } from '../tensor/index.js'
import { type ChatTemplate, TEMPLATE_NAMES } from '../text/template.js'
import { loadTokenizer, type TextTokenizer } from '../text/tokenizer.js'
import { type LanguageModel, loadLanguageModel, readTemplate, requireVocabulary } from './language-model.js'

export interface ScoringModel {
  model: RewardScorer
  tokenizer: TextTokenizer
  template: ChatTemplate
}

export interface ScoringOptions {
  dtype: DType
  /** `reward_format`; unset: auto. */
  format?: string
  /** `chat_template`, for a model that reads chats. */
  chatTemplate?: string
  /** The linear maps of its blocks in so many bits. */
  bits?: Bits
}

/** @throws ClhaError (exit 2) for what is no reward model, and for a format that its tokenizer can't write */
export async function loadScoringModel(
  path: string,
  { dtype, format = 'auto', chatTemplate, bits }: ScoringOptions,
): Promise<ScoringModel> {
  if (format === 'perplexity') return loadPerplexityModel(path, { dtype, chatTemplate, bits })
  const folder = resolveModelFolder(path)
  const tokenizer = await loadTokenizer(tokenizerFolderOf(folder))
  const template = await rewardTemplate({
    tokenizer,
    modelType: String(readHfConfig(baseFolderOf(folder)).model_type),
    format: readTemplate(format, 'reward_format', [...REWARD_FORMATS, ...TEMPLATE_NAMES]),
    chatTemplate: chatTemplate && readTemplate(chatTemplate),
  })
  const model = loadRewardScorer(folder, dtype, bits)
  requireVocabulary(tokenizer, model.config.vocabSize)
  return { model, tokenizer, template }
}

/** A language model whose perplexity is the reward. */
async function loadPerplexityModel(
  path: string,
  { dtype, chatTemplate, bits }: Omit<ScoringOptions, 'format'>,
): Promise<ScoringModel> {
  const lm = await loadLanguageModel(path, dtype, chatTemplate, bits && { bits, which: 'all' })
  if (lm.model.head === 'lm') return { ...lm, model: perplexityScorer(lm.model) }
  lm.model.dispose()
  throw usageError(
    `${path}: a reward model has no perplexity`,
    'reward_format: perplexity takes a language model as reward_model; leave it out for a reward model',
  )
}

/** A reward model that was trained here and is still in memory. */
export const trainedScoringModel = ({ model, tokenizer, template }: LanguageModel): ScoringModel => ({
  model: decoderScorer(model),
  tokenizer,
  template,
})
