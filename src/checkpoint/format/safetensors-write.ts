/** Writes safetensors: tensors in, chunks of the file out, so that nothing is copied in memory. */

import { bitsOf, type SafetensorsDtype, tensorBytes } from './dtypes.js'

export interface TensorToWrite {
  name: string
  dtype: SafetensorsDtype
  shape: readonly number[]
  /** Little-endian, row-major; exactly as long as dtype and shape say. */
  bytes: Uint8Array
  /** Of `bytes`, where these are made each time they are asked for. */
  byteLength?: number
}

export const lengthOf = (tensor: TensorToWrite): number => tensor.byteLength ?? tensor.bytes.byteLength

export interface SafetensorsLayout {
  /** Length of the whole file. */
  bytes: number
  /** The file's bytes in order; may be called again. */
  chunks: () => Iterable<Uint8Array>
}

const ALIGNMENT = 8

/**
 * Lays out a file as the format's own writer does: wide types first, then by name, header padded with spaces so
 * that every tensor is aligned to its element. The same tensors always give the same bytes.
 *
 * @throws Error on a name given twice or bytes that don't fit the shape: a bug of the caller
 */
export function layoutSafetensors(
  tensors: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): SafetensorsLayout {
  const ordered = [...tensors].sort(
    (a, b) => bitsOf(b.dtype) - bitsOf(a.dtype) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  )
  const header = headerBytes(ordered, metadata)
  const bytes = ordered.reduce((sum, tensor) => sum + lengthOf(tensor), header.byteLength)
  return {
    bytes,
    chunks: function* () {
      yield header
      for (const tensor of ordered) yield tensor.bytes
    },
  }
}

function headerBytes(tensors: readonly TensorToWrite[], metadata?: Readonly<Record<string, string>>): Buffer {
  const fields: string[] = []
  if (metadata) fields.push(`"__metadata__":${JSON.stringify(metadata)}`)
  const seen = new Set(['__metadata__'])
  let offset = 0
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor
    const length = lengthOf(tensor)
    if (seen.has(name)) throw new Error(`tensor name "${name}" is taken`)
    seen.add(name)
    if (tensorBytes(dtype, shape) !== BigInt(length)) {
      throw new Error(`tensor "${name}": ${dtype} [${shape.join(', ')}] does not take ${length} bytes`)
    }
    const end = offset + length
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`)
    offset = end
  }
  const json = Buffer.from(`{${fields.join(',')}}`)
  const padded = Math.ceil(json.byteLength / ALIGNMENT) * ALIGNMENT
  const header = Buffer.alloc(8 + padded, ' ')
  header.writeBigUInt64LE(BigInt(padded), 0)
  json.copy(header, 8)
  return header
}
