/** A GGUF file as a model folder in Hugging Face layout: config.json, safetensors, tokenizer and chat template. */
import { weightFiles } from '../../checkpoint/format/model-shards.js'
import type { TensorToWrite } from '../../checkpoint/format/safetensors-write.js'
import { textFile } from '../../checkpoint/format/save-file.js'
import { usageError } from '../../errors.js'
import { DiskStorage, removeTree } from '../../files/storage.js'
import { writeFolder } from '../../files/whole.js'
import { loadTokenizer } from '../../text/tokenizer.js'
import { decoderConfig } from '../families/families.js'
import { configJson } from '../folders/config-json.js'
import type { HfConfig } from '../folders/config-reader.js'
import { configOfGguf } from './architectures.js'
import { type GgufFile, openGguf } from './format/gguf-file.js'
import { type GgufMetadata, ggufMetadata } from './format/gguf-metadata.js'
import type { TensorType } from './format/tensor-types.js'
import { tokenizerFilesOfGguf } from './tokenizer/tokenizer-of-gguf.js'
import { readVocabulary } from './tokenizer/vocabulary.js'
import { type ImportOptions, type PlainType, weightsOfGguf } from './weights-of-gguf.js'

export interface ImportedGguf {
  /** `general.architecture`. */
  architecture: string
  /** `model_type` of config.json. */
  modelType: string
  /** How many tensors of each type the file holds. */
  types: Partial<Record<TensorType, number>>
  parameters: number
  /** Of most of the weights as they are written. */
  dtype: string
}

/** As config.json names them. */
export const DTYPE_NAMES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const

/**
 * Writes the folder whole or not at all; one that is there is replaced. One tensor is in memory at once.
 * @throws ClhaError (exit 2) for a file that is damaged, or a model, a setting or a tokenizer that is not computed here
 */
export async function importGguf(
  path: string,
  folder: string,
  options: ImportOptions = {},
): Promise<ImportedGguf> {
  const file = openGguf(path)
  const storage = new DiskStorage()
  try {
    const read = ggufMetadata(file.metadata, path)
    requireModel(read)
    const config = configOfGguf(read, file)
    const weights = weightsOfGguf(file, decoderConfig(config, path), options)
    const vocabulary = readVocabulary(read, Number(config.vocab_size))
    const main = DTYPE_NAMES[mainType(weights)]
    const { bos, eos, padding } = vocabulary
    const ids = { bos_token_id: bos ?? null, eos_token_id: eos ?? null, pad_token_id: padding ?? null }
    writeFolder(storage, folder, [
      textFile('config.json', configJson({ ...config, ...ids, dtype: main })),
      ...tokenizerFilesOfGguf(vocabulary, path),
      ...weightFiles(weights),
    ])
    try {
      await loadTokenizer(folder)
    } catch (error) {
      removeTree(storage, folder)
      throw error
    }
    return summaryOf(file, read, config, main)
  } finally {
    file.close()
  }
}

/** @throws ClhaError (exit 2) for an adapter, a part of a model, or one of several files */
function requireModel(read: GgufMetadata): void {
  const type = read.text('general.type', 'model')
  if (type !== 'model')
    throw usageError(
      `${read.where}: general.type "${type}", not a model`,
      type === 'adapter' ? 'an adapter is read as a PEFT folder only' : 'give the file of the language model',
    )
  if (read.number('split.count', 0) > 1)
    throw usageError(
      `${read.where}: one of ${read.number('split.count')} files of a model`,
      'make one of them: llama-gguf-split --merge FIRST.gguf WHOLE.gguf',
    )
}

/** The type of most numbers. */
function mainType(weights: readonly TensorToWrite[]): PlainType {
  const bytes = { F32: 0, F16: 0, BF16: 0 }
  for (const { dtype, byteLength = 0 } of weights) bytes[dtype as PlainType] += byteLength
  const halves = Math.max(bytes.F16, bytes.BF16) * 2 // as many numbers as float32 of this size
  return bytes.F32 >= halves ? 'F32' : bytes.F16 > bytes.BF16 ? 'F16' : 'BF16'
}

function summaryOf(file: GgufFile, read: GgufMetadata, config: HfConfig, dtype: string): ImportedGguf {
  const types: ImportedGguf['types'] = {}
  let parameters = 0
  for (const { type, shape } of file.tensors.values()) {
    types[type] = (types[type] ?? 0) + 1
    parameters += shape.reduce((a, b) => a * b, 1)
  }
  const modelType = String(config.model_type)
  return { architecture: read.text('general.architecture'), modelType, types, parameters, dtype }
}
