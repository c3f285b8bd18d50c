/** A model as the files of a Hugging Face folder. */

import { lengthOf, type TensorToWrite } from '../../checkpoint/format/safetensors-write.js'
import { jsonFile, type SaveFile, safetensorsFile, textFile } from '../../checkpoint/format/save-file.js'
import { DTYPES, type DType, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import type { Decoder } from '../decoder/decoder.js'
import { requireWideWeights } from '../decoder/quantized.js'
import { configJson } from './config-json.js'
import { weightSpecs } from './weights.js'

/** Names in config.json. */
export const HF_DTYPES: Partial<Record<DType, string>> = {
  f32: 'float32',
  f64: 'float64',
  bf16: 'bfloat16',
  f16: 'float16',
}

/** Bytes of tensors in one file; a larger model is saved as shards with an index. */
const SHARD_BYTES = 5e9

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
export function modelFiles(model: Decoder, shardBytes = SHARD_BYTES): SaveFile[] {
  requireWideWeights(model, 'they are not saved as a model')
  const { torch_dtype: _, ...config } = model.hfConfig
  return [
    textFile('config.json', configJson({ ...config, dtype: HF_DTYPES[model.dtype] })),
    ...weightFiles(weightsToWrite(model), shardBytes),
  ]
}

const METADATA = { format: 'pt' }

function weightFiles(tensors: readonly TensorToWrite[], shardBytes: number): SaveFile[] {
  const shards = splitShards(tensors, shardBytes)
  if (shards.length === 1) return [safetensorsFile('model.safetensors', tensors, METADATA)]
  const five = (n: number) => String(n).padStart(5, '0')
  const name = (i: number) => `model-${five(i + 1)}-of-${five(shards.length)}.safetensors`
  const places = shards.flatMap((shard, i) => shard.map((tensor) => [tensor.name, name(i)]))
  const total = tensors.reduce((sum, tensor) => sum + lengthOf(tensor), 0)
  return [
    ...shards.map((shard, i) => safetensorsFile(name(i), shard, METADATA)),
    jsonFile('model.safetensors.index.json', {
      metadata: { total_size: total },
      weight_map: Object.fromEntries(places),
    }),
  ]
}

/** Tensors in order, in as few files as hold them; one that is larger alone has a file of its own. */
function splitShards(tensors: readonly TensorToWrite[], shardBytes: number): TensorToWrite[][] {
  const shards: TensorToWrite[][] = [[]]
  let filled = 0
  for (const tensor of tensors) {
    const length = lengthOf(tensor)
    if (filled > 0 && filled + length > shardBytes) {
      shards.push([])
      filled = 0
    }
    shards.at(-1)?.push(tensor)
    filled += length
  }
  return shards
}
