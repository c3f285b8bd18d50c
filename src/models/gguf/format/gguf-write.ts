/** Writes GGUF, version 3: metadata and tensors in, chunks of the file out, so that one tensor is in memory at once. */
import {
  aligned,
  DEFAULT_ALIGNMENT,
  type GgufValue,
  type Scalar,
  type ValueType,
  valueTypeId,
} from './gguf-head.js'
import { MAGIC } from './gguf-magic.js'
import { bytesOf, TENSOR_TYPES, type TensorType } from './tensor-types.js'

export interface GgufTensorToWrite {
  name: string
  type: TensorType
  /** Row-major, the slowest dimension first. */
  shape: readonly number[]
  /** Made when it is written. */
  bytes: () => Uint8Array
}

const VERSION = 3

/** The bytes of the whole file in order; may be called again. */
export function* ggufChunks(
  metadata: readonly (readonly [key: string, value: GgufValue])[],
  tensors: readonly GgufTensorToWrite[],
): Generator<Uint8Array> {
  const parts: Uint8Array[] = [Buffer.from(MAGIC), number('uint32', VERSION)]
  parts.push(number('uint64', tensors.length), number('uint64', metadata.length))
  for (const [key, value] of metadata) parts.push(text(key), entry(value))
  let offset = 0
  for (const { name, type, shape } of tensors) {
    parts.push(text(name), number('uint32', shape.length))
    for (const size of [...shape].reverse()) parts.push(number('uint64', size))
    parts.push(number('uint32', TENSOR_TYPES[type].id), number('uint64', offset))
    offset += aligned(lengthOf({ type, shape }), DEFAULT_ALIGNMENT)
  }
  const head = Buffer.concat(parts)
  yield head
  yield padding(head.length)
  for (const tensor of tensors) {
    const bytes = tensor.bytes()
    if (bytes.byteLength !== lengthOf(tensor))
      throw new Error(`tensor "${tensor.name}": ${bytes.byteLength} bytes in place of ${lengthOf(tensor)}`)
    yield bytes
    yield padding(bytes.byteLength)
  }
}

const lengthOf = ({ type, shape }: Pick<GgufTensorToWrite, 'type' | 'shape'>): number =>
  bytesOf(
    type,
    shape.reduce((a, b) => a * b, 1),
  )

const padding = (length: number): Uint8Array => new Uint8Array(aligned(length, DEFAULT_ALIGNMENT) - length)

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  return Buffer.concat([number('uint64', bytes.length), bytes])
}

function entry(value: GgufValue): Buffer {
  const type = number('uint32', valueTypeId(value.type))
  if (value.type !== 'array') return Buffer.concat([type, scalar(value.type, value.value)])
  const head = [type, number('uint32', valueTypeId(value.of)), number('uint64', value.value.length)]
  return Buffer.concat(head.concat(value.value.map((item) => scalar(value.of, item))))
}

const scalar = (type: ValueType, value: Scalar): Buffer =>
  type === 'string' ? text(String(value)) : number(type, Number(value))

function number(type: ValueType, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  switch (type) {
    case 'uint32':
      bytes.writeUInt32LE(value)
      return bytes.subarray(0, 4)
    case 'int32':
      bytes.writeInt32LE(value)
      return bytes.subarray(0, 4)
    case 'float32':
      bytes.writeFloatLE(value)
      return bytes.subarray(0, 4)
    case 'bool':
      return Buffer.from([value])
    case 'uint64':
      bytes.writeBigUInt64LE(BigInt(value))
      return bytes
    default:
      throw new Error(`a ${type} is not written`)
  }
}
