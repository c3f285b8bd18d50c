/** Weights out of a GGUF file as safetensors hold them: dequantised, under the names and in the layouts of transformers. */
import type { TensorToWrite } from '../../checkpoint/format/safetensors-write.js'
import { usageError } from '../../errors.js'
import type { DecoderConfig } from '../decoder/decoder-config.js'
import { dequantize } from './format/dequantize.js'
import type { GgufFile } from './format/gguf-file.js'
import type { GgufTensor } from './format/gguf-head.js'
import { toBrain, toHalf } from './format/half.js'
import { bytesOf, type TensorType } from './format/tensor-types.js'
import { type MappedWeight, mappedWeights } from './weight-map.js'

/** What weights are stored as. */
export type PlainType = 'F32' | 'F16' | 'BF16'

export interface ImportOptions {
  /** Of the weights; left out: as stored, and float32 where they are quantised. */
  dtype?: PlainType
  /** Called when a weight is read. */
  onWeight?: (done: number, total: number) => void
}

/** Computed from other settings; llama.cpp reads it in their place. */
const COMPUTED = ['rope_freqs.weight']

/**
 * @returns entries whose bytes are made each time they are asked for: one tensor is in memory at once
 * @throws ClhaError (exit 2) for a tensor that is missing, without a place, or of another shape
 */
export function weightsOfGguf(
  file: GgufFile,
  config: DecoderConfig,
  { dtype, onWeight }: ImportOptions = {},
): TensorToWrite[] {
  const mapped = mappedWeights(config)
  requireAll(file, mapped)
  let done = 0
  return mapped.map((weight) => {
    const tensor = file.tensors.get(weight.name) as GgufTensor
    const { shape, transposed, name } = weight.spec
    requireShape(file, weight, tensor)
    const type = dtype ?? plainOf(tensor.type)
    return {
      name,
      dtype: type,
      shape: transposed ? [...shape].reverse() : shape,
      byteLength: bytesOf(
        type,
        shape.reduce((a, b) => a * b, 1),
      ),
      get bytes() {
        onWeight?.(++done, mapped.length)
        return encoded(valuesOf(file, tensor, weight), type)
      },
    }
  })
}

/** The type in which nothing of a tensor is lost. */
export const plainOf = (type: TensorType): PlainType => (type === 'F16' || type === 'BF16' ? type : 'F32')

function requireAll(file: GgufFile, mapped: readonly MappedWeight[]): void {
  const expected = new Set(mapped.map(({ name }) => name))
  const list = (names: string[]) =>
    names.slice(0, 5).join(', ') + (names.length > 5 ? `, … (${names.length})` : '')
  const missing = [...expected].filter((name) => !file.tensors.has(name))
  if (missing.length > 0)
    throw usageError(`${file.path}: no tensor ${list(missing)}`, 'its metadata says that the model has it')
  const surplus = [...file.tensors.keys()].filter((name) => !expected.has(name) && !COMPUTED.includes(name))
  if (surplus.length > 0)
    throw usageError(`${file.path}: holds ${list(surplus)}, which this architecture has no place for`)
}

function requireShape(file: GgufFile, { spec: { shape }, name }: MappedWeight, tensor: GgufTensor): void {
  if (tensor.shape.join() !== shape.join())
    throw usageError(`${file.path}: tensor "${name}" is [${tensor.shape}], the metadata makes it [${shape}]`)
}

/** The numbers of a weight in the order of the file that is written. */
function valuesOf(file: GgufFile, tensor: GgufTensor, { spec, rowOf, offset }: MappedWeight): Float32Array {
  const [rows = 1, ...rest] = tensor.shape
  const columns = rest.reduce((a, b) => a * b, 1)
  const bytes = file.read(tensor)
  const values = new Float32Array(rows * columns)
  if (!rowOf) dequantize(tensor.type, bytes, values)
  else {
    // A bias has rows of one number, which is no whole block of a quantised type: it is never quantised.
    const width = bytesOf(tensor.type, columns)
    for (let row = 0; row < rows; row++) {
      const at = rowOf(row) * columns
      dequantize(
        tensor.type,
        bytes.subarray(row * width, (row + 1) * width),
        values.subarray(at, at + columns),
      )
    }
  }
  if (offset !== 0) for (let i = 0; i < values.length; i++) values[i] -= offset
  return spec.transposed ? transposed(values, rows, columns) : values
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column]
  return turned
}

function encoded(values: Float32Array, type: PlainType): Uint8Array {
  if (type === 'F32') return new Uint8Array(values.buffer)
  const to = type === 'F16' ? toHalf : toBrain
  const narrow = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) narrow[i] = to(values[i])
  return new Uint8Array(narrow.buffer)
}
