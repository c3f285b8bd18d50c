/** Weights of a model folder as the tensors of a GGUF file: renamed, reordered and narrowed as llama.cpp's converter does it. */
import type { TensorSource } from '../../checkpoint/format/tensor-source.js'
import { numericsError } from '../../errors.js'
import type { DecoderConfig } from '../decoder/decoder-config.js'
import { storedNames } from '../folders/load-model.js'
import { checkedEntry } from '../folders/read-tensor.js'
import { type FileType, typeOf } from './file-types.js'
import { dequantize } from './format/dequantize.js'
import type { GgufTensorToWrite } from './format/gguf-write.js'
import { halfTable, toHalf } from './format/half.js'
import { quantize } from './format/quantize.js'
import type { TensorType } from './format/tensor-types.js'
import { llama3Factors } from './rope-factors.js'
import { type MappedWeight, mappedWeights } from './weight-map.js'

/**
 * @param onWeight called when a weight is made
 * @throws ClhaError (exit 2) where the folder's tensors are not those of its config; (exit 5), when they are made, for a number
 *   that is not finite in the type it gets
 */
export function weightsForGguf(
  files: TensorSource,
  config: DecoderConfig,
  fileType: FileType,
  folder: string,
  onWeight?: (done: number, total: number) => void,
): GgufTensorToWrite[] {
  const stored = storedNames(files, config)
  const mapped = mappedWeights(config)
  let done = 0
  const tensors = mapped.map((weight): GgufTensorToWrite => {
    const { shape } = weight.spec
    const type = typeOf(weight.name, shape, fileType, config)
    const name = stored(weight.spec.name)
    checkedEntry(files, weight.spec, name, folder)
    return {
      name: weight.name,
      type,
      shape,
      bytes() {
        onWeight?.(++done, mapped.length)
        const values = valuesOf(files, name, weight)
        requireFinite(values, type, `${folder}: tensor "${name}"`)
        return quantize(type, values)
      },
    }
  })
  return [...ropeFactors(config), ...tensors]
}

/** Frequencies that are scaled as in Llama 3 are stored as divisors, for llama.cpp has no such rope type. */
function ropeFactors({ ropes, headDim }: DecoderConfig): GgufTensorToWrite[] {
  const { scaling, theta } = ropes[0] ?? {}
  if (scaling?.type !== 'llama3' || theta === undefined) return []
  const factors = Float32Array.from(llama3Factors(headDim, theta, scaling))
  return [
    { name: 'rope_freqs.weight', type: 'F32', shape: [headDim / 2], bytes: () => quantize('F32', factors) },
  ]
}

/** The numbers of a weight in GGUF's order. */
function valuesOf(files: TensorSource, name: string, { spec, rowOf, offset }: MappedWeight): Float32Array {
  const [rows = 1, ...rest] = spec.shape
  const columns = rest.reduce((a, b) => a * b, 1)
  const ours = readValues(files, name, rows * columns)
  const half = files.entries.get(name)?.dtype === 'F16'
  if (offset !== 0) addTo(ours, offset, half)
  if (spec.transposed) return turned(ours, rows, columns)
  return rowOf ? reordered(ours, columns, rowOf) : ours
}

/** Row `i` of what comes out is row `rowOf(i)` of `values`. */
export function reordered(
  values: Float32Array,
  columns: number,
  rowOf: (row: number) => number,
): Float32Array {
  const ordered = new Float32Array(values.length)
  for (let row = 0; row * columns < values.length; row++) {
    const from = rowOf(row) * columns
    ordered.set(values.subarray(from, from + columns), row * columns)
  }
  return ordered
}

/** The sum is rounded to the type of the file, as the converter's is. */
function addTo(values: Float32Array, offset: number, half: boolean): void {
  for (let i = 0; i < values.length; i++) {
    const sum = values[i] + offset
    values[i] = half ? halfTable()[toHalf(sum)] : sum
  }
}

/** From [columns, rows] to [rows, columns]. */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length)
  for (let column = 0; column < columns; column++)
    for (let row = 0; row < rows; row++) result[row * columns + column] = values[column * rows + row]
  return result
}

/** A tensor of a safetensors file as float32. */
export function readValues(files: TensorSource, name: string, numbers: number): Float32Array {
  const entry = files.entries.get(name)
  const values = new Float32Array(numbers)
  if (!entry) throw new Error(`no tensor ${name}`)
  const bytes = new Uint8Array(entry.end - entry.begin)
  files.readInto(name, bytes)
  const { dtype } = entry
  if (dtype === 'F64') values.set(new Float64Array(bytes.buffer))
  else if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') dequantize(dtype, bytes, values)
  else throw new Error(`${name}: ${dtype} is no weight's`)
  return values
}

const LARGEST_HALF = 65_504

/** @throws ClhaError (exit 5) */
function requireFinite(values: Float32Array, type: TensorType, what: string): void {
  const most = type === 'F16' ? LARGEST_HALF : Number.MAX_VALUE
  const wrong = values.find((value) => !(Math.abs(value) <= most))
  if (wrong === undefined) return
  throw numericsError(
    `${what} holds ${wrong}, which ${Number.isFinite(wrong) ? `is too large for ${type}` : 'is not finite'}`,
    Number.isFinite(wrong)
      ? '--type bf16 or f32 holds it'
      : 'the training has failed: export an earlier checkpoint',
  )
}
