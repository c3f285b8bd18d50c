/** The weights of a model as files: one, or shards with their index. */

import { lengthOf, type TensorToWrite } from './safetensors-write.js'
import { jsonFile, type SaveFile, safetensorsFile } from './save-file.js'
import { INDEX } from './sharded-model.js'

/** Bytes of tensors in one file; a larger model is saved as shards with an index. */
const SHARD_BYTES = 5e9

const METADATA = { format: 'pt' }

/** `model.safetensors`, or its shards with their index. */
export function weightFiles(tensors: readonly TensorToWrite[], shardBytes = SHARD_BYTES): SaveFile[] {
  const shards = splitShards(tensors, shardBytes)
  if (shards.length === 1) return [safetensorsFile('model.safetensors', tensors, METADATA)]
  const five = (n: number) => String(n).padStart(5, '0')
  const name = (i: number) => `model-${five(i + 1)}-of-${five(shards.length)}.safetensors`
  const places = shards.flatMap((shard, i) => shard.map((tensor) => [tensor.name, name(i)]))
  const total = tensors.reduce((sum, tensor) => sum + lengthOf(tensor), 0)
  return [
    ...shards.map((shard, i) => safetensorsFile(name(i), shard, METADATA)),
    jsonFile(INDEX, {
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
