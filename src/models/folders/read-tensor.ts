/** Tensors of files in the dtype that is asked for, read in pieces where they change. */
import type { TensorSource } from '../../checkpoint/format/tensor-source.js'
import { usageError } from '../../errors.js'
import {
  allocate,
  currentDevice,
  DTYPES,
  type DType,
  dtypeOfSafetensors,
  mapFile,
  native,
  noGrad,
  onDevice,
  ops,
  scope,
  type Tensor,
} from '../../tensor/index.js'
import type { WeightSpec } from './weights.js'

export interface Reading {
  /** What the tensor is widened or narrowed to. */
  dtype: DType
  /** For messages. */
  folder: string
  mapped?: boolean
}

/** One tensor on the current device, in the dtype that is asked for. @throws ClhaError (exit 2) when it is missing or of another shape */
export function readTensor(
  files: TensorSource,
  { shape, transposed = false }: WeightSpec,
  name: string,
  { dtype, folder, mapped = false }: Reading,
): Tensor {
  const entry = checkedEntry(files, { shape, transposed }, name, folder)
  const stored = entry.dtype
  const asStored = stored === dtype && !transposed
  const device = currentDevice()
  if ((mapped || device !== 'cpu') && asStored && entry.begin % DTYPES[stored].bytes === 0) {
    const { fd, offset } = files.place(name)
    return scope(() => onDevice(mapFile(fd, offset, shape, stored)))
  }
  const tensor = allocate(shape, dtype, device)
  if (asStored && device === 'cpu') files.readInto(name, tensor.bytes())
  else
    overPieces(files, name, entry, (piece, row) => {
      const place = shape.length === 0 ? tensor : ops.narrow(tensor, transposed ? 1 : 0, row, piece.shape[0])
      ops.copyInPlace(place, transposed ? ops.transpose(piece, 0, 1) : piece)
    })
  return tensor
}

/** Overwrites a tensor, wherever it is, with one of its dtype and shape from a file. */
export function readOver(files: TensorSource, name: string, tensor: Tensor): void {
  if (tensor.device === 'cpu') {
    files.readInto(name, tensor.bytes())
    return
  }
  noGrad(() =>
    scope(() => {
      const read = allocate(tensor.shape, tensor.dtype)
      files.readInto(name, read.bytes())
      ops.copyInPlace(tensor, read)
    }),
  )
}

interface StoredTensor {
  dtype: DType
  /** As stored. */
  shape: readonly number[]
  begin: number
}

/** Whole numbers in a file are some quantisation's, whose scales this tensor does not tell. */
const FLOATS: ReadonlySet<DType> = new Set(['f64', 'f32', 'f16', 'bf16'])

/** What the file says of a tensor. @throws ClhaError (exit 2) when it is missing or of another shape */
export function checkedEntry(
  files: TensorSource,
  { shape, transposed = false }: Pick<WeightSpec, 'shape' | 'transposed'>,
  name: string,
  folder: string,
): StoredTensor {
  const entry = files.entries.get(name)
  const dtype = entry && dtypeOfSafetensors(entry.dtype)
  if (!entry || !dtype || !FLOATS.has(dtype))
    throw usageError(
      `${folder}: tensor "${name}" has dtype ${entry?.dtype}, which is no weight's`,
      'weights are read as F64, F32, F16 or BF16; of a quantised model, take the one that it was made of',
    )
  const storedShape = transposed ? [...shape].reverse() : shape
  if (entry.shape.join() !== storedShape.join())
    throw usageError(`${folder}: tensor "${name}" is [${entry.shape}], config.json makes it [${storedShape}]`)
  return { dtype, shape: storedShape, begin: entry.begin }
}

/** Bytes of a tensor as stored that are in memory at once while it is changed into what is used. */
const PIECE = 2 ** 20

/** Kept from piece to piece: views of a tensor's own memory would hold each piece until the collector comes. */
let staging = new Uint8Array(PIECE)

/** Calls `use` with pieces of whole rows, as stored, and the row at which each begins. */
export function overPieces(
  files: TensorSource,
  name: string,
  { shape, dtype }: StoredTensor,
  use: (piece: Tensor, row: number) => void,
): void {
  const [rows = 1, ...rest] = shape
  const rowBytes = rest.reduce((a, b) => a * b, 1) * DTYPES[dtype].bytes
  const most = Math.max(1, Math.floor(PIECE / Math.max(1, rowBytes)))
  if (most * rowBytes > staging.length) staging = new Uint8Array(most * rowBytes)
  for (let row = 0; row < rows; row += most) {
    const count = Math.min(most, rows - row)
    scope(() => {
      const piece = allocate(shape.length === 0 ? [] : [count, ...rest], dtype)
      const bytes = staging.subarray(0, count * rowBytes)
      files.readInto(name, bytes, row * rowBytes)
      native().writeBytes(piece.handle, bytes)
      use(piece, row)
    })
  }
}
