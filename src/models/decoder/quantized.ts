/**
 * Matrices in 8 or 4 bits, activations as they are. 8: symmetric, one scale for each row of the output, as in Dettmers et al.,
 * arXiv 2208.07339, section 2. 4: NF4 of Dettmers et al., arXiv 2305.14314, one scale for each 64 numbers of a row.
 */
import type { TensorSource } from '../../checkpoint/format/tensor-source.js'
import { usageError } from '../../errors.js'
import {
  allocate,
  DTYPES,
  type DType,
  keep,
  noGrad,
  onDevice,
  ops,
  scope,
  type Tensor,
} from '../../tensor/index.js'
import { checkedEntry, overPieces, readTensor } from '../folders/read-tensor.js'
import { blockName, type HeadKind, headName, type WeightSpec, weightSpecs } from '../folders/weights.js'
import { type Decoder, parameterCount } from './decoder.js'
import { BLOCK_PLACES, type DecoderConfig } from './decoder-config.js'

export type Bits = 8 | 4

export interface Quantized {
  bits: Bits
  /** The linear maps of the blocks, as under an adapter that is trained; or, in a model that is only used, the LM head too. */
  which: 'blocks' | 'all'
}

/** As a `Projection` has them. */
interface QuantizedMatrix {
  weight: Tensor
  scale: Tensor
}

interface Kind {
  dtype: DType
  scale: DType
  /** Of a matrix [out, in]. */
  shapes(out: number, columns: number): { weight: number[]; scale: number[] }
  /** [out, in] f32, on the CPU. */
  quantize(matrix: Tensor): [weight: Tensor, scale: Tensor]
}

const KINDS: Record<Bits, Kind> = {
  8: {
    dtype: 'i8',
    scale: 'f32',
    quantize: ops.quantizeInt8,
    shapes: (out, columns) => ({ weight: [out, columns], scale: [out] }),
  },
  4: {
    dtype: 'u8',
    scale: 'bf16',
    quantize: ops.quantizeNf4,
    shapes: (out, columns) => ({ weight: [out, columns / 2], scale: [out, Math.ceil(columns / 64)] }),
  },
}

/** Bits of a model's narrow matrices, which are of one kind. */
export function bitsOf({ scales }: Decoder): Bits | undefined {
  for (const { dtype } of scales.values()) return dtype === KINDS[4].scale ? 4 : 8
  return undefined
}

/** Whether numbers of this width can be held so: in 4 bits a byte has two of a row. */
const fits = (bits: Bits, columns: number): boolean => bits === 8 || columns % 2 === 0

/** Names of the weights that are held narrow. An embedding stays as it is, also where it is the LM head. */
export function quantizedWeights(
  config: DecoderConfig,
  head: HeadKind,
  quantized: Quantized | undefined,
): Set<string> {
  const names = new Set<string>()
  if (quantized === undefined) return names
  const { bits, which } = quantized
  for (let layer = 0; layer < config.layers; layer++) {
    for (const place of BLOCK_PLACES) {
      const name = place.endsWith('Norm') ? undefined : blockName(config, layer, place)
      if (name) names.add(`${name}.weight`)
    }
  }
  if (which === 'all' && head === 'lm' && !config.tieWordEmbeddings)
    names.add(`${headName(config, head)}.weight`)
  for (const { name, shape } of weightSpecs(config, head)) if (!fits(bits, shape[1])) names.delete(name)
  return names
}

/** A matrix [out, in] in so many bits, its tensors made by `make`. */
export function quantizedMatrix(
  bits: Bits,
  [out, columns]: readonly number[],
  make: (shape: number[], dtype: DType) => Tensor,
): QuantizedMatrix {
  const { dtype, scale, shapes } = KINDS[bits]
  const { weight: codes, scale: steps } = shapes(out, columns)
  return { weight: make(codes, dtype), scale: make(steps, scale) }
}

/**
 * A matrix from a file. It is read in pieces, so that of the wider numbers only a few megabytes are there at once; one that is
 * transposed there is there whole.
 * @throws ClhaError (exit 2) when it is missing, of another shape, or holds a number that is not finite
 */
export function readQuantized(
  files: TensorSource,
  spec: WeightSpec,
  name: string,
  folder: string,
  bits: Bits,
): QuantizedMatrix {
  const entry = checkedEntry(files, spec, name, folder)
  const wide = { dtype: 'f32', folder } as const
  return scope((): QuantizedMatrix => {
    const matrix = spec.transposed
      ? narrowed(readTensor(files, spec, name, wide), bits)
      : byPieces(bits, spec.shape, (take) => overPieces(files, name, entry, take))
    if (scope(() => ops.all(ops.isFinite(matrix.scale)).item()) === 0)
      throw usageError(
        `${folder}: tensor "${name}" holds a number that is not finite`,
        'fetch the model again',
      )
    return placed(matrix)
  })
}

/** [out, in] f32, on the CPU afterwards. */
function narrowed(matrix: Tensor, bits: Bits): QuantizedMatrix {
  const [weight, scale] = KINDS[bits].quantize(onDevice(matrix, 'cpu'))
  return { weight, scale }
}

const placed = ({ weight, scale }: QuantizedMatrix): QuantizedMatrix => ({
  weight: onDevice(weight),
  scale: onDevice(scale),
})

/** A matrix on the CPU, of pieces of its rows, which `give` hands over with the row at which each begins. */
function byPieces(
  bits: Bits,
  shape: readonly number[],
  give: (take: (piece: Tensor, row: number) => void) => void,
): QuantizedMatrix {
  const { weight, scale } = quantizedMatrix(bits, shape, (sizes, dtype) => allocate(sizes, dtype))
  give((piece, row) => {
    const part = narrowed(ops.to(piece, 'f32'), bits)
    ops.copyInPlace(ops.narrow(weight, 0, row, piece.shape[0]), part.weight)
    ops.copyInPlace(ops.narrow(scale, 0, row, piece.shape[0]), part.scale)
  })
  return { weight, scale }
}

/** Rows of a matrix that are widened at once. */
const ROWS = 4096

/** Gives a model that nobody trains a narrow LM head beside the embedding (or the trained copy) that it has for one. */
export function addQuantizedOutput(model: Decoder, bits: Bits): void {
  const { output } = model
  if (model.head !== 'lm' || output.scale || !fits(bits, output.weight.shape[1])) return
  const { weight: wide } = output
  const made = noGrad(() =>
    scope((): QuantizedMatrix => {
      const rows = wide.shape[0]
      const pieces = byPieces(bits, wide.shape, (take) => {
        for (let row = 0; row < rows; row += ROWS)
          scope(() => take(ops.narrow(wide, 0, row, Math.min(ROWS, rows - row)), row))
      })
      const { weight, scale } = placed(pieces)
      return { weight: keep(weight), scale: keep(scale) }
    }),
  )
  model.quantizedOutput = { ...output, ...made }
  const dispose = model.dispose
  model.dispose = () => {
    dispose()
    made.weight.dispose()
    made.scale.dispose()
  }
}

/** Bytes of the weights with their scales and the narrow LM head. */
export function weightBytes({ weights, scales, quantizedOutput: output }: Decoder): number {
  const more = output ? [output.weight, output.scale as Tensor] : []
  let sum = 0
  for (const { shape, dtype } of [...weights.values(), ...scales.values(), ...more])
    sum += shape.reduce((a, b) => a * b, 1) * DTYPES[dtype].bytes
  return sum
}

/** Bytes of the same weights in the model's dtype. */
export const wideBytes = (model: Decoder): number => parameterCount(model) * DTYPES[model.dtype].bytes

/** @throws ClhaError (exit 2) for a model with narrow matrices; `what` can't be done with it */
export function requireWideWeights(model: Decoder, what: string): void {
  const bits = bitsOf(model)
  if (bits !== undefined)
    throw usageError(
      `the weights are in ${bits} bits: ${what}`,
      `load_in_${bits}bit: false keeps them as they were stored`,
    )
}
