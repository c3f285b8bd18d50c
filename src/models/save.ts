/** A model as the files of a Hugging Face folder. */

import type { TensorToWrite } from '../checkpoint/safetensors-write.js'
import { jsonFile, type SaveFile, safetensorsFile } from '../checkpoint/save-file.js'
import { DTYPES, type DType, type Tensor } from '../tensor/index.js'
import type { Decoder } from './decoder.js'

const HF_DTYPES: Partial<Record<DType, string>> = {
  f32: 'float32',
  f64: 'float64',
  bf16: 'bfloat16',
  f16: 'float16',
}

/** Tensors as what safetensors writes; `bytes` is the tensor's own memory. */
export function tensorsToWrite(tensors: Iterable<readonly [string, Tensor]>): TensorToWrite[] {
  return Array.from(tensors, ([name, tensor]) => ({
    name,
    dtype: DTYPES[tensor.dtype].safetensors as TensorToWrite['dtype'],
    shape: tensor.shape,
    bytes: tensor.bytes(),
  }))
}

/** config.json and model.safetensors. */
export function modelFiles(model: Decoder): SaveFile[] {
  const { torch_dtype: _, ...config } = model.hfConfig
  return [
    jsonFile('config.json', { ...config, dtype: HF_DTYPES[model.dtype] }),
    safetensorsFile('model.safetensors', tensorsToWrite(model.weights), { format: 'pt' }),
  ]
}
