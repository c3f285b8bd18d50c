/**
 * Matrices in 8 bits: symmetric, one scale for each row of the output, activations as they are. Row-wise scales are those of
 * Dettmers et al., arXiv 2208.07339, section 2.
 */
import type { TensorSource } from '../checkpoint/tensor-source.js'
import { usageError } from '../errors.js'
import { allocate, DTYPES, keep, noGrad, onDevice, ops, scope, type Tensor } from '../tensor/index.js'
import { BLOCK_PLACES, type DecoderConfig } from './config.js'
import { type Decoder, parameterCount } from './decoder.js'
import { checkedEntry, overPieces, readTensor } from './read-tensor.js'
import { blockName, type HeadKind, headName, type WeightSpec } from './weights.js'

/** The linear maps of the blocks, as under an adapter that is trained; or, in a model that is only used, the LM head too. */
export type EightBit = 'blocks' | 'all'

interface EightBitMatrix {
  /** [out, in] int8 */
  weight: Tensor
  /** [out] f32 */
  scale: Tensor
}

/** Names of the weights that are held in 8 bits. An embedding stays as it is, also where it is the LM head. */
export function eightBitWeights(config: DecoderConfig, head: HeadKind, which?: EightBit): Set<string> {
  const names = new Set<string>()
  if (which === undefined) return names
  for (let layer = 0; layer < config.layers; layer++) {
    for (const place of BLOCK_PLACES) {
      const name = place.endsWith('Norm') ? undefined : blockName(config, layer, place)
      if (name) names.add(`${name}.weight`)
    }
  }
  if (which === 'all' && head === 'lm' && !config.tieWordEmbeddings)
    names.add(`${headName(config, head)}.weight`)
  return names
}

/**
 * A matrix from a file. It is read in pieces, so that of the wider numbers only a few megabytes are there at once; one that is
 * transposed there is there whole.
 * @throws ClhaError (exit 2) when it is missing, of another shape, or holds a number that is not finite
 */
export function readEightBit(
  files: TensorSource,
  spec: WeightSpec,
  name: string,
  folder: string,
): EightBitMatrix {
  const entry = checkedEntry(files, spec, name, folder)
  const matrix = scope((): EightBitMatrix => {
    if (spec.transposed) return placed(quantised(readTensor(files, spec, name, { dtype: 'f32', folder })))
    return byPieces(spec.shape, (take) => overPieces(files, name, entry, take))
  })
  if (scope(() => ops.all(ops.isFinite(matrix.scale)).item()) === 0)
    throw usageError(`${folder}: tensor "${name}" holds a number that is not finite`, 'fetch the model again')
  return matrix
}

/** [out, in] f32, on the CPU afterwards. */
function quantised(matrix: Tensor): EightBitMatrix {
  const [weight, scale] = ops.quantizeInt8(onDevice(matrix, 'cpu'))
  return { weight, scale }
}

const placed = ({ weight, scale }: EightBitMatrix): EightBitMatrix => ({
  weight: onDevice(weight),
  scale: onDevice(scale),
})

/** A matrix of pieces of its rows, which `give` hands over with the row at which each begins. */
function byPieces(
  shape: readonly number[],
  give: (take: (piece: Tensor, row: number) => void) => void,
): EightBitMatrix {
  const weight = allocate(shape, 'i8')
  const scale = allocate([shape[0]])
  give((piece, row) => {
    const part = quantised(ops.to(piece, 'f32'))
    ops.copyInPlace(ops.narrow(weight, 0, row, piece.shape[0]), part.weight)
    ops.copyInPlace(ops.narrow(scale, 0, row, piece.shape[0]), part.scale)
  })
  return placed({ weight, scale })
}

/** Rows of a matrix that are widened at once. */
const ROWS = 4096

/** Gives a model that nobody trains an LM head in 8 bits beside the embedding (or the trained copy) that it has for one. */
export function addEightBitOutput(model: Decoder): void {
  const { output } = model
  if (model.head !== 'lm' || output.scale) return
  const { weight: wide } = output
  const made = noGrad(() =>
    scope((): EightBitMatrix => {
      const rows = wide.shape[0]
      const { weight, scale } = byPieces(wide.shape, (take) => {
        for (let row = 0; row < rows; row += ROWS)
          scope(() => take(ops.narrow(wide, 0, row, Math.min(ROWS, rows - row)), row))
      })
      return { weight: keep(weight), scale: keep(scale) }
    }),
  )
  model.eightBitOutput = { ...output, ...made }
  const dispose = model.dispose
  model.dispose = () => {
    dispose()
    made.weight.dispose()
    made.scale.dispose()
  }
}

/** Bytes of the weights with their scales and the LM head in 8 bits. */
export function weightBytes({ weights, scales, eightBitOutput: output }: Decoder): number {
  const more = output ? [output.weight, output.scale as Tensor] : []
  let sum = 0
  for (const { shape, dtype } of [...weights.values(), ...scales.values(), ...more])
    sum += shape.reduce((a, b) => a * b, 1) * DTYPES[dtype].bytes
  return sum
}

/** Bytes of the same weights in the model's dtype. */
export const wideBytes = (model: Decoder): number => parameterCount(model) * DTYPES[model.dtype].bytes

/** @throws ClhaError (exit 2) for a model with matrices in 8 bits; `what` can't be done with it */
export function requireWideWeights({ scales }: Decoder, what: string): void {
  if (scales.size > 0)
    throw usageError(
      `the weights are in 8 bits: ${what}`,
      'load_in_8bit: false keeps them as they were stored',
    )
}
