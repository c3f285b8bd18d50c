/** A LoRA adapter of a PEFT folder as the tensors of a GGUF adapter. */
import { join } from 'node:path'
import type { TensorSource } from '../../checkpoint/format/tensor-source.js'
import { usageError } from '../../errors.js'
import { ADAPTER_CONFIG, type AdapterConfig } from '../adapters/adapter-config.js'
import type { DecoderConfig } from '../decoder/decoder-config.js'
import { type FileType, typeOf } from './file-types.js'
import type { GgufTensorToWrite } from './format/gguf-write.js'
import { quantize } from './format/quantize.js'
import { type Entry, float, text } from './settings-for-gguf.js'
import { ggufNames, rowOrder } from './weight-map.js'
import { readValues, reordered } from './weights-for-gguf.js'

export interface AdapterForGguf {
  entries: Entry[]
  tensors: GgufTensorToWrite[]
}

/** llama.cpp scales by alpha / r alone, for all modules alike. @throws ClhaError (exit 2) naming the setting it does not have */
export function adapterForGguf(
  files: TensorSource,
  adapter: AdapterConfig,
  config: DecoderConfig,
  fileType: FileType,
  folder: string,
): AdapterForGguf {
  requirePlain(adapter, folder)
  const alpha = adapter.useRslora ? adapter.alpha * Math.sqrt(adapter.r) : adapter.alpha
  return {
    entries: [text('adapter.type', 'lora'), float('adapter.lora.alpha', alpha)],
    tensors: tensorsOf(files, config, fileType, folder),
  }
}

function requirePlain(adapter: AdapterConfig, folder: string): void {
  const refuse = (key: string, why: string) => {
    throw usageError(
      `${join(folder, ADAPTER_CONFIG)}: "${key}" is not exported: ${why}`,
      'merge the adapter first (clha merge), and export the merged model',
    )
  }
  const isSet = (pattern: object) => Object.keys(pattern).length > 0
  if (isSet(adapter.rankPattern)) refuse('rank_pattern', 'llama.cpp has one scale for all modules')
  if (isSet(adapter.alphaPattern)) refuse('alpha_pattern', 'llama.cpp has one scale for all modules')
  if (adapter.modulesToSave.length > 0) refuse('modules_to_save', 'llama.cpp reads low-rank maps only')
}

/** PEFT's names: `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`. */
const NAME = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/

function tensorsOf(
  files: TensorSource,
  config: DecoderConfig,
  fileType: FileType,
  folder: string,
): GgufTensorToWrite[] {
  const names = ggufNames(config)
  return [...files.entries].map(([stored, { shape }]) => {
    const [, module, part] = NAME.exec(stored) ?? []
    const found = names.get(module)
    if (!found?.place || shape.length !== 2)
      throw usageError(
        `${folder}: tensor "${stored}" is not exported: llama.cpp's adapters hold low-rank maps of the blocks only`,
        'merge the adapter first (clha merge), and export the merged model',
      )
    const name = `${found.name}.weight.lora_${part.toLowerCase()}`
    const rowOf = part === 'B' ? rowOrder(config, found.place) : undefined
    const type = typeOf(name, shape, fileType, config)
    const values = () => readValues(files, stored, shape[0] * shape[1])
    // The rows of an output map stand as those of the matrix that it is added to.
    const bytes = () => quantize(type, rowOf ? reordered(values(), shape[1], rowOf) : values())
    return { name, type, shape, bytes }
  })
}
