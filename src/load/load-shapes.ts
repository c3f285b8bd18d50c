/** The model of a plan: tokenizer and config.json are read, weights have shapes only. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Options, SectionOptions } from '../config/options.js'
import { attachAdapter, installAdapter } from '../models/adapters/adapter.js'
import { readAdapterConfig } from '../models/adapters/adapter-config.js'
import { vocabularyOf } from '../models/adapters/adapter-files.js'
import { baseFolderOf, isAdapterFolder } from '../models/adapters/adapter-load.js'
import type { HfConfig } from '../models/decoder/decoder-config.js'
import { rewardConfig } from '../models/families/families.js'
import { readHfConfig } from '../models/folders/load-model.js'
import { resolveModelFolder, tokenizerFolderOf } from '../models/folders/model-folder.js'
import { shapedAdapter, shapedModel } from '../models/folders/shapes.js'
import type { HeadKind } from '../models/folders/weights.js'
import type { Needs } from '../session/needs.js'
import { loadTokenizer, type TextTokenizer } from '../text/tokenizer.js'
import { type LanguageModel, scratchConfig, withTemplate } from './language-model.js'
import { quantizedOf, requireAdapterOnQuantized } from './quantized-options.js'
import { loraOptions } from './trainable.js'

/** The model and what is trained of it. */
type ShapeOptions = SectionOptions<'model' | 'lora'> & Pick<Options, 'bf16' | 'rewardModelConfig'>

/**
 * What `clha train` (head lm) or `clha reward train` (head reward) would train.
 * @throws ClhaError (exit 2) for what these would refuse, too
 */
export async function loadShapes(
  session: Needs<ShapeOptions, 'dtype'>,
  head: HeadKind,
): Promise<LanguageModel> {
  const { options, dtype } = session
  const { modelNameOrPath, adapterNameOrPath, tokenizerNameOrPath } = options
  const folder = modelNameOrPath === undefined ? undefined : resolveModelFolder(modelNameOrPath)
  const adapter =
    adapterNameOrPath === undefined
      ? folder !== undefined && isAdapterFolder(folder)
        ? folder
        : undefined
      : resolveModelFolder(adapterNameOrPath)
  requireAdapterOnQuantized(session, adapter ?? folder)
  const tokenizer = await loadTokenizer(
    tokenizerNameOrPath ?? tokenizerFolderOf(folder ?? '', adapterNameOrPath && adapter),
  )
  const config = configOf(session, head, folder, tokenizer)
  const where = folder && join(baseFolderOf(folder), 'config.json')
  const made = (of: HfConfig) =>
    shapedModel(
      of,
      head,
      dtype,
      where && existsSync(where) ? where : undefined,
      quantizedOf(options, 'blocks'),
    )
  let model = made(config)
  const rows = adapter === undefined ? model.config.vocabSize : vocabularyOf(adapter, model)
  if (rows !== model.config.vocabSize) model = made({ ...config, vocab_size: rows })
  model.bf16 = options.bf16
  if (adapter !== undefined && head === 'lm')
    installAdapter(model, readAdapterConfig(adapter), options.seed, shapedAdapter)
  else if (options.usePeft) attachAdapter(model, loraOptions(session), options.seed, shapedAdapter)
  return withTemplate(model, tokenizer, options.chatTemplate)
}

function configOf(
  { options }: Needs<ShapeOptions>,
  head: HeadKind,
  folder: string | undefined,
  tokenizer: TextTokenizer,
): HfConfig {
  const { modelConfig, rewardModelConfig, resizeEmbeddings } = options
  const sizes = head === 'reward' ? (rewardModelConfig ?? modelConfig) : modelConfig
  const fromFolder = folder !== undefined && (head === 'lm' || rewardModelConfig === undefined)
  const read = fromFolder ? readHfConfig(baseFolderOf(folder)) : scratchConfig(sizes, tokenizer)
  const grown = resizeEmbeddings && tokenizer.vocabSize > Number(read.vocab_size)
  const config = grown ? { ...read, vocab_size: tokenizer.vocabSize } : read
  return head === 'reward' ? rewardConfig(config) : config
}
