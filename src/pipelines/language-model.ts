/** A model with its tokenizer and its way to write dialogues. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { newestValid } from '../checkpoint/resume.js'
import { readTrainingState } from '../checkpoint/state.js'
import { DiskStorage } from '../checkpoint/storage.js'
import { noCheckpointError, usageError } from '../errors.js'
import { baseFolderOf, headOfFolder, isAdapterFolder, loadModelFolder } from '../models/adapter-load.js'
import type { HfConfig } from '../models/config.js'
import { isDeberta } from '../models/deberta-config.js'
import type { Decoder } from '../models/decoder.js'
import { initModel } from '../models/init.js'
import { parseHfConfig, readHfConfig } from '../models/load.js'
import type { Quantized } from '../models/quantized.js'
import { resizeEmbeddings } from '../models/resize.js'
import type { DType } from '../tensor/index.js'
import { type ChatTemplate, chatTemplate, TEMPLATE_NAMES } from '../text/template.js'
import { loadTokenizer, type TextTokenizer } from '../text/tokenizer.js'
import { quantizedOf, sayQuantized } from './quantized.js'
import type { Session } from './session.js'

export interface LanguageModel {
  model: Decoder
  tokenizer: TextTokenizer
  template: ChatTemplate
}

/**
 * A model folder, or the best (else the newest) checkpoint of a run folder.
 * @throws ClhaError (exit 2) for what is no folder; (exit 7) for a run without checkpoints
 */
export function resolveModelFolder(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found)
    throw usageError(
      `${path}: no such model folder`,
      'give a folder on this disk, or a name on the hub: org/name, org/name@revision',
    )
  if (!found.isDirectory())
    throw usageError(
      `${path}: a file, not a model folder`,
      'give the folder that holds config.json and *.safetensors',
    )
  if (existsSync(join(path, 'config.json')) || isAdapterFolder(path)) return path
  if (existsSync(join(path, 'fold-0', 'run.json'))) {
    throw usageError(
      `${path}: holds cross-fitted reward models, one in each fold-… folder`,
      `name one of them, such as ${join(path, 'fold-0')}, or train a single one with folds: 1`,
    )
  }
  if (!existsSync(join(path, 'run.json'))) return path
  const newest = newestValid(new DiskStorage(), path)
  if (!newest) throw noCheckpointError(`${path}: this run has no checkpoint yet`)
  const { bestStep } = readTrainingState(newest.path)
  const best = join(path, `checkpoint-${bestStep}`)
  return bestStep !== undefined && existsSync(best) ? best : newest.path
}

/**
 * The start model that the config names: a folder, or sizes to draw random weights for.
 * @param which of its matrices are narrow with `load_in_8bit` and `load_in_4bit`
 * @throws ClhaError (exit 2) for a reward model, unless any head will do
 */
export async function loadStartModel(
  session: Session,
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
  const adapter = adapterOf(options)
  const tokenizer = await loadTokenizer(tokenizerNameOrPath ?? tokenizerFolderOf(folder as string, adapter))
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
const adapterOf = ({ adapterNameOrPath: path }: Session['options']): string | undefined =>
  path === undefined ? undefined : resolveModelFolder(path)

/** The tokenizer that was saved with an adapter, else the base's. */
export function tokenizerFolderOf(folder: string, adapter?: string): string {
  const own = adapter ?? folder
  return existsSync(join(own, 'tokenizer.json')) ? own : baseFolderOf(folder)
}

/** The start model without a tokenizer, and the folder of the one that belongs to it. */
export function loadModelAlone({ options }: Session, dtype: DType): { model: Decoder; tokenizerDir: string } {
  const folder = resolveModelFolder(options.modelNameOrPath as string)
  const adapter = adapterOf(options)
  const model = loadModelFolder(folder, dtype, { adapter })
  return { model, tokenizerDir: tokenizerFolderOf(folder, adapter) }
}

/** @throws ClhaError (exit 2) when the tokenizer can make ids that the model has no embedding for */
export function withTemplate(model: Decoder, tokenizer: TextTokenizer, template?: string): LanguageModel {
  requireVocabulary(tokenizer, model.config.vocabSize)
  return { model, tokenizer, template: chatTemplate(tokenizer, template && readTemplate(template)) }
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
  const tokenizer = await loadTokenizer(tokenizerFolderOf(folder))
  return withTemplate(loadModelFolder(folder, dtype, { mapped: true, quantized }), tokenizer, template)
}

/** config.json of a Llama of the given sizes; a path names a config.json, whose vocabulary must hold the tokenizer's. */
export function scratchConfig(sizes: Session['options']['modelConfig'], tokenizer: TextTokenizer): HfConfig {
  if (typeof sizes === 'string') {
    if (!existsSync(sizes)) throw usageError(`model_config: ${sizes}: no such file`)
    return parseHfConfig(sizes)
  }
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

/** Ids on which generation ends: the tokenizer's own (EOS, generation_config.json) and the template's end of turn. */
export function stopIdsOf({ tokenizer, template }: LanguageModel): number[] {
  const end = template.endToken && tokenizer.specialTokens.get(template.endToken)
  return [...new Set([...tokenizer.stopIds, ...(typeof end === 'number' ? [end] : [])])]
}

/** SHA-256 over the files that make a model: weights, config, tokenizer; of an adapter its base's too. */
export async function modelHash(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const first =
    'config.json tokenizer.json vocab.json merges.txt model.safetensors model.safetensors.index.json'.split(
      ' ',
    )
  const others = readdirSync(folder).filter((name) => /^(adapter_config\.json|.+\.safetensors)$/.test(name))
  const training = ['optimizer.safetensors', 'rng_state.safetensors']
  for (const name of new Set([...first, ...others.sort()])) {
    const path = join(folder, name)
    if (!existsSync(path) || training.includes(name)) continue
    hash.update(`${name}\0`)
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  }
  if (isAdapterFolder(folder)) hash.update(await modelHash(baseFolderOf(folder)))
  return hash.digest('hex')
}
