/** The model, tokenizer and chat template that a config names, loaded or made anew. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { Options, OptionsWith, SectionOptions } from '../config/options.js'
import { usageError } from '../errors.js'
import { baseFolderOf, headOfFolder, loadModelFolder } from '../models/adapters/adapter-load.js'
import type { Decoder } from '../models/decoder/decoder.js'
import type { HfConfig } from '../models/decoder/decoder-config.js'
import { initModel } from '../models/decoder/init.js'
import type { Quantized } from '../models/decoder/quantized.js'
import { resizeEmbeddings } from '../models/decoder/resize.js'
import { isDeberta } from '../models/encoder/deberta-config.js'
import { parseHfConfig, readHfConfig } from '../models/folders/load-model.js'
import { resolveModelFolder, tokenizerFolderOf } from '../models/folders/model-folder.js'
import { isProbeFolder } from '../models/probe/probe-folder.js'
import type { Needs } from '../session/needs.js'
import type { DType } from '../tensor/index.js'
import { type ChatTemplate, chatTemplate, TEMPLATE_NAMES } from '../text/template.js'
import { loadTokenizer, loadTokenizerOnBase, type TextTokenizer } from '../text/tokenizer.js'
import { quantizedOf, sayQuantized } from './quantized-options.js'

/** What says which model is loaded, and how. */
export type ModelOptions = SectionOptions<'model'> & Pick<Options, 'usePeft'>

export interface LanguageModel {
  model: Decoder
  tokenizer: TextTokenizer
  template: ChatTemplate
}

/**
 * The start model that the config names: a folder, or sizes to draw random weights for.
 * @param which of its matrices are narrow with `load_in_8bit` and `load_in_4bit`
 * @throws ClhaError (exit 2) for a reward model, unless any head will do
 */
export async function loadStartModel(
  session: Needs<ModelOptions, 'ui' | 'dtype'>,
  head: 'lm' | 'any' = 'lm',
  which: Quantized['which'] = 'blocks',
): Promise<LanguageModel> {
  const { options, dtype } = session
  const { modelNameOrPath, modelConfig, tokenizerNameOrPath, seed } = options
  const folder = modelNameOrPath && resolveModelFolder(modelNameOrPath)
  if (folder && head === 'lm' && headOfFolder(folder, adapterOf(options)) === 'reward') {
    throw usageError(
      `${modelNameOrPath}: a reward model, not a language model`,
      'it can score answers as reward_model; model_name_or_path needs a model that writes them',
    )
  }
  if (folder && isDeberta(readHfConfig(baseFolderOf(folder)))) {
    throw usageError(
      `${modelNameOrPath}: a DeBERTa encoder, which scores but is not trained here`,
      'name it as reward_model, or train a reward model that starts from a language model',
    )
  }
  if (folder && isProbeFolder(folder)) {
    throw usageError(
      `${modelNameOrPath}: a probe, which scores but is not trained further`,
      'name it as reward_model, or begin with the model that it reads',
    )
  }
  const adapter = adapterOf(options)
  const tokenizer =
    folder && tokenizerNameOrPath === undefined
      ? await loadTokenizerOnBase(tokenizerFolderOf(folder, adapter), baseFolderOf(folder))
      : await loadTokenizer(tokenizerNameOrPath ?? tokenizerFolderOf('', adapter))
  const quantized = quantizedOf(options, which)
  const mapped = options.usePeft || quantized !== undefined
  const model = folder
    ? loadModelFolder(folder, dtype, { adapter, mapped, quantized })
    : initModel(scratchConfig(modelConfig, tokenizer), seed, 'lm', dtype)
  if (options.resizeEmbeddings && tokenizer.vocabSize > model.config.vocabSize)
    resizeEmbeddings(model, tokenizer.vocabSize, seed)
  sayQuantized(session, model)
  return withTemplate(model, tokenizer, options.chatTemplate)
}

/** `adapter_name_or_path` as the folder that holds it. */
const adapterOf = ({ adapterNameOrPath: path }: Pick<Options, 'adapterNameOrPath'>): string | undefined =>
  path === undefined ? undefined : resolveModelFolder(path)

/** The start model without a tokenizer, and the folder of the one that belongs to it. */
export function loadModelAlone(
  options: OptionsWith<'model_name_or_path'>,
  dtype: DType,
): { model: Decoder; tokenizerDir: string } {
  const folder = resolveModelFolder(options.modelNameOrPath)
  const adapter = adapterOf(options)
  const model = loadModelFolder(folder, dtype, { adapter })
  return { model, tokenizerDir: tokenizerFolderOf(folder, adapter) }
}

/** @throws ClhaError (exit 2) when the tokenizer can make ids that the model has no embedding for */
export async function withTemplate(
  model: Decoder,
  tokenizer: TextTokenizer,
  template?: string,
): Promise<LanguageModel> {
  requireVocabulary(tokenizer, model.config.vocabSize)
  return { model, tokenizer, template: await chatTemplate(tokenizer, template && readTemplate(template)) }
}

/** @throws ClhaError (exit 2) when the tokenizer can make ids that the model has no embedding for */
export function requireVocabulary(tokenizer: TextTokenizer, vocabSize: number): void {
  if (tokenizer.vocabSize > vocabSize) {
    throw usageError(
      `${tokenizer.dir}: the tokenizer has ids up to ${tokenizer.vocabSize - 1}, the model ${vocabSize} embeddings`,
      'give the right one with tokenizer_name_or_path; where tokens were added to it, resize_embeddings: true makes room',
    )
  }
}

/** One of the names, else the template in a file; a text with braces is the template itself. */
export function readTemplate(
  nameOrPath: string,
  key = 'chat_template',
  names: readonly string[] = TEMPLATE_NAMES,
): string {
  if (names.includes(nameOrPath) || nameOrPath.includes('{')) return nameOrPath
  if (statSync(nameOrPath, { throwIfNoEntry: false })?.isFile()) return readFileSync(nameOrPath, 'utf8')
  throw usageError(
    `${key}: ${nameOrPath}: no such file`,
    `give the path of a Jinja template, or one of ${names.join(', ')}`,
  )
}

/** Any model folder with what belongs to it, to be used as it is: its weights stay mapped. */
export async function loadLanguageModel(
  path: string,
  dtype: DType,
  template?: string,
  quantized?: Quantized,
): Promise<LanguageModel> {
  const folder = resolveModelFolder(path)
  const tokenizer = await loadTokenizerOnBase(tokenizerFolderOf(folder), baseFolderOf(folder))
  return withTemplate(loadModelFolder(folder, dtype, { mapped: true, quantized }), tokenizer, template)
}

/** config.json of a Llama of the given sizes; a path names a config.json, whose vocabulary must hold the tokenizer's. */
export function scratchConfig(sizes: Options['modelConfig'], tokenizer: TextTokenizer): HfConfig {
  if (typeof sizes === 'string') return readSizes(sizes)
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    ...sizes,
    // Rows of the embedding in multiples of 64: matrix products over the vocabulary stay aligned.
    vocab_size: Math.ceil(tokenizer.vocabSize / 64) * 64,
    bos_token_id: tokenizer.bosId ?? null,
    eos_token_id: tokenizer.eosId ?? null,
    hidden_act: 'silu',
    initializer_range: 0.02,
  }
}

/** `model_config` as a file. @throws ClhaError (exit 2) for one that is not there, or no config */
export function readSizes(path: string): HfConfig {
  if (!existsSync(path)) throw usageError(`model_config: ${path}: no such file`)
  return parseHfConfig(path)
}

/** Ids on which generation ends: the tokenizer's own (EOS, generation_config.json, else config.json) and the template's end of turn. */
export function stopIdsOf({ tokenizer, template }: LanguageModel): number[] {
  const end = template.endToken && tokenizer.specialTokens.get(template.endToken)
  return [...new Set([...tokenizer.stopIds, ...(typeof end === 'number' ? [end] : [])])]
}
