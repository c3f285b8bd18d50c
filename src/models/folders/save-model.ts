/** A model as the files of a Hugging Face folder. */
import { join } from 'node:path'
import { weightFiles } from '../../checkpoint/format/model-shards.js'
import type { TensorToWrite } from '../../checkpoint/format/safetensors-write.js'
import { copiedFile, type SaveFile, textFile } from '../../checkpoint/format/save-file.js'
import { DiskStorage } from '../../files/storage.js'
import { DTYPES, type DType, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import { TOKENIZER_FILES } from '../../text/tokenizer-files.js'
import type { Decoder } from '../decoder/decoder.js'
import { requireWideWeights } from '../decoder/quantized.js'
import { configJson } from './config-json.js'
import { weightSpecs } from './weights.js'

/** The files of a tokenizer that are in a folder, as they are. */
export function tokenizerFiles(folder: string): SaveFile[] {
  const storage = new DiskStorage()
  return TOKENIZER_FILES.filter((name) => storage.stat(join(folder, name)) !== undefined).map((name) =>
    copiedFile(storage, join(folder, name), name),
  )
}

/** Names in config.json. */
export const HF_DTYPES: Partial<Record<DType, string>> = {
  f32: 'float32',
  f64: 'float64',
  bf16: 'bfloat16',
  f16: 'float16',
}

/** Tensors as what safetensors writes; `bytes` is the tensor's own memory, or a copy of a device's each time it is asked for. */
export function tensorsToWrite(tensors: Iterable<readonly [string, Tensor]>): TensorToWrite[] {
  return Array.from(tensors, ([name, tensor]) => ({
    name,
    dtype: DTYPES[tensor.dtype].safetensors as TensorToWrite['dtype'],
    shape: tensor.shape,
    ...(tensor.device === 'cpu' ? { bytes: tensor.bytes() } : fetched(tensor)),
  }))
}

/** Bytes of a tensor on a device: copied when a file is written, not before. */
const fetched = (tensor: Tensor) => ({
  byteLength: byteLength(tensor),
  get bytes() {
    return tensor.hostBytes()
  },
})

const byteLength = ({ shape, dtype }: Tensor): number => shape.reduce((a, b) => a * b, DTYPES[dtype].bytes)

/** The weights as files hold them: a matrix that is transposed there is turned each time its bytes are asked for. */
function weightsToWrite({ config, head, weights }: Decoder): TensorToWrite[] {
  const turned = new Set(weightSpecs(config, head).flatMap((s) => (s.transposed ? [s.name] : [])))
  return tensorsToWrite(weights).map((entry) => {
    const tensor = weights.get(entry.name)
    if (!tensor || !turned.has(entry.name)) return entry
    return {
      name: entry.name,
      dtype: entry.dtype,
      shape: [...entry.shape].reverse(),
      byteLength: byteLength(tensor),
      get bytes() {
        return noGrad(() =>
          scope(() =>
            ops
              .contiguous(ops.transpose(tensor, 0, 1))
              .hostBytes()
              .slice(),
          ),
        )
      },
    }
  })
}

/** config.json, and model.safetensors or its shards with their index. @throws ClhaError (exit 2) for weights in 8 or 4 bits */
export function modelFiles(model: Decoder, shardBytes?: number): SaveFile[] {
  requireWideWeights(model, 'they are not saved as a model')
  const { torch_dtype: _, ...config } = model.hfConfig
  return [
    textFile('config.json', configJson({ ...config, dtype: HF_DTYPES[model.dtype] })),
    ...weightFiles(weightsToWrite(model), shardBytes),
  ]
}
