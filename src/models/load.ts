/** A model from a Hugging Face folder: config.json and safetensors, read tensor by tensor into libtorch's memory. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openModelFiles } from '../checkpoint/model-files.js'
import type { TensorSource } from '../checkpoint/tensor-source.js'
import { usageError } from '../errors.js'
import {
  allocate,
  currentDevice,
  type DType,
  DTYPES,
  dtypeOfSafetensors,
  mapFile,
  noGrad,
  onDevice,
  ops,
  scope,
  type Tensor,
} from '../tensor/index.js'
import type { DecoderConfig, HfConfig } from './config.js'
import { assembleDecoder, type Decoder } from './decoder.js'
import { decoderConfig, headOf } from './families.js'
import { type WeightSpec, weightSpecs } from './weights.js'

/** @throws ClhaError (exit 2) when it is missing, not JSON or not an object */
export function readHfConfig(folder: string): HfConfig {
  const path = join(folder, 'config.json')
  if (!existsSync(path))
    throw usageError(`${folder}: no config.json`, 'give a model folder in Hugging Face layout')
  return parseHfConfig(path)
}

/** @throws ClhaError (exit 2) when the file is not JSON or not an object */
export function parseHfConfig(path: string): HfConfig {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw usageError(`${path}: not valid JSON: ${(error as Error).message}`, 'fetch the file again')
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed))
    throw usageError(`${path}: holds no JSON object`, 'fetch the file again')
  return parsed as HfConfig
}

/**
 * Peak memory is the weights as used plus a few megabytes as stored: they are read one by one, in pieces where they change.
 * @param dtype what the weights are widened or narrowed to
 * @param mapped weights that nobody trains: those stored as they are used stay in the file, and the kernel brings them in
 * @throws ClhaError (exit 2) for a family, a setting, a tensor or a file that does not fit
 */
export function loadModel(folder: string, dtype: DType = 'f32', mapped = false): Decoder {
  const hfConfig = readHfConfig(folder)
  const where = join(folder, 'config.json')
  const config = decoderConfig(hfConfig, where)
  const head = headOf(hfConfig, where)
  const files = openModelFiles(folder)
  try {
    const specs = weightSpecs(config, head)
    const stored = storedNames(files, config)
    checkNames(files, specs, stored, config, folder)
    const read = (spec: WeightSpec): [string, Tensor] => [
      spec.name,
      readTensor(files, spec, stored(spec.name), { dtype, folder, mapped }),
    ]
    const weights = noGrad(() => new Map(specs.map(read)))
    return assembleDecoder(config, head, hfConfig, weights, dtype)
  } finally {
    files.close()
  }
}

/**
 * Overwrites a model's weights with those of a folder that it was saved to.
 * @throws ClhaError (exit 2) for a tensor that is missing or of another shape
 */
export function reloadWeights(folder: string, model: Decoder): void {
  const files = openModelFiles(folder)
  try {
    noGrad(() => {
      for (const spec of weightSpecs(model.config, model.head)) {
        scope(() => {
          const weight = model.weights.get(spec.name) as Tensor
          ops.copyInPlace(weight, readTensor(files, spec, spec.name, { dtype: model.dtype, folder }))
        })
      }
    })
  } finally {
    files.close()
  }
}

/** Name in the files of a weight; files of a bare base model leave out the prefix. */
function storedNames(files: TensorSource, { names }: DecoderConfig): (name: string) => string {
  const bare = `${names.embedding}.weight`
  if (files.entries.has(names.prefix + bare) || !files.entries.has(bare)) return (name) => name
  return (name) => (name.startsWith(names.prefix) ? name.slice(names.prefix.length) : name)
}

/** Buffers of older checkpoints that are computed here. */
const IGNORED = /\.rotary_emb\.inv_freq$|\.(attn|attention)\.(masked_)?bias$/

function checkNames(
  files: TensorSource,
  specs: readonly WeightSpec[],
  stored: (name: string) => string,
  { tieWordEmbeddings, names }: DecoderConfig,
  folder: string,
): void {
  const expected = new Set(specs.map((s) => stored(s.name)))
  const missing = [...expected].filter((name) => !files.entries.has(name))
  const tiedHead = tieWordEmbeddings ? `${names.lmHead}.weight` : undefined
  const surplus = [...files.entries.keys()].filter(
    (name) => !expected.has(name) && !IGNORED.test(name) && name !== tiedHead,
  )
  const list = (some: string[]) =>
    some.slice(0, 5).join(', ') + (some.length > 5 ? `, … (${some.length})` : '')
  if (missing.length > 0) {
    throw usageError(
      `${folder}: the weights lack ${list(missing)}`,
      'config.json and the weights are not of the same model',
    )
  }
  if (surplus.length > 0) {
    throw usageError(`${folder}: the weights hold ${list(surplus)}, which this architecture has no place for`)
  }
}

interface Reading {
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
  const entry = files.entries.get(name)
  const stored = entry && dtypeOfSafetensors(entry.dtype)
  if (!entry || !stored)
    throw usageError(`${folder}: tensor "${name}" has dtype ${entry?.dtype}, which is no weight's`)
  const storedShape = transposed ? [...shape].reverse() : shape
  if (entry.shape.join() !== storedShape.join())
    throw usageError(`${folder}: tensor "${name}" is [${entry.shape}], config.json makes it [${storedShape}]`)
  const asStored = stored === dtype && !transposed
  const device = currentDevice()
  if ((mapped || device !== 'cpu') && asStored && entry.begin % DTYPES[stored].bytes === 0) {
    const { fd, offset } = files.place(name)
    return scope(() => onDevice(mapFile(fd, offset, shape, stored)))
  }
  const tensor = allocate(shape, dtype, device)
  if (asStored && device === 'cpu') files.readInto(name, tensor.bytes())
  else readPieces(files, name, tensor, { shape: storedShape, dtype: stored, transposed })
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

/** Bytes of a tensor as stored that are in memory at once while it is changed into what is used. */
const PIECE = 8 * 2 ** 20

function readPieces(
  files: TensorSource,
  name: string,
  target: Tensor,
  { shape, dtype, transposed }: { shape: number[]; dtype: DType; transposed: boolean },
): void {
  const [rows = 1, ...rest] = shape
  const rowBytes = rest.reduce((a, b) => a * b, 1) * DTYPES[dtype].bytes
  const most = Math.max(1, Math.floor(PIECE / Math.max(1, rowBytes)))
  for (let row = 0; row < rows; row += most) {
    const count = Math.min(most, rows - row)
    scope(() => {
      const piece = allocate(shape.length === 0 ? [] : [count, ...rest], dtype)
      files.readInto(name, piece.bytes(), row * rowBytes)
      const place = shape.length === 0 ? target : ops.narrow(target, transposed ? 1 : 0, row, count)
      ops.copyInPlace(place, transposed ? ops.transpose(piece, 0, 1) : piece)
    })
  }
}
