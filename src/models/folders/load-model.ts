/** A model from a Hugging Face folder: config.json and safetensors, read tensor by tensor into libtorch's memory. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TensorSource } from '../../checkpoint/format/tensor-source.js'
import { usageError } from '../../errors.js'
import { readJsonObject } from '../../files/json.js'
import { type DType, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import { assembleDecoder, type Decoder } from '../decoder/decoder.js'
import type { DecoderConfig, HfConfig } from '../decoder/decoder-config.js'
import { type Quantized, quantizedWeights, readQuantized } from '../decoder/quantized.js'
import { decoderConfig, headOf } from '../families/families.js'
import { openCheckedFiles } from './checked-files.js'
import { readTensor } from './read-tensor.js'
import { type WeightSpec, weightSpecs } from './weights.js'

/** @throws ClhaError (exit 2) when it is missing, not JSON or not an object */
export function readHfConfig(folder: string): HfConfig {
  const path = join(folder, 'config.json')
  if (!existsSync(path))
    throw usageError(`${folder}: no config.json`, 'give a model folder in Hugging Face layout')
  return parseHfConfig(path)
}

/** @throws ClhaError (exit 2) when the file is not JSON or not an object */
export const parseHfConfig = (path: string): HfConfig => readJsonObject(path) as HfConfig

/**
 * Peak memory is the weights as used plus a few megabytes as stored: they are read one by one, in pieces where they change.
 * @param dtype what the weights are widened or narrowed to
 * @param mapped weights that nobody trains: those stored as they are used stay in the file, and the kernel brings them in
 * @param quantized which matrices are held in 8 or 4 bits, for a model that nobody trains; `dtype` is that of all else
 * @throws ClhaError (exit 2) for a family, a setting, a tensor or a file that does not fit
 * @example
 * ```ts
 * const model = loadModel('model')
 * model.head // 'lm'
 * model.config.layers // 1
 * ```
 */
export function loadModel(
  folder: string,
  dtype: DType = 'f32',
  mapped = false,
  quantized?: Quantized,
): Decoder {
  const hfConfig = readHfConfig(folder)
  const where = join(folder, 'config.json')
  const config = decoderConfig(hfConfig, where)
  const head = headOf(hfConfig, where)
  const files = openCheckedFiles(folder)
  try {
    const specs = weightSpecs(config, head)
    const stored = storedNames(files, config)
    checkNames(files, specs, stored, config, folder)
    if (head === 'lm' && config.tieWordEmbeddings) requireTied(files, stored, config, folder)
    const narrow = quantizedWeights(config, head, quantized)
    const scales = new Map<string, Tensor>()
    const read = (spec: WeightSpec): [string, Tensor] => {
      const name = stored(spec.name)
      if (!quantized || !narrow.has(spec.name))
        return [spec.name, readTensor(files, spec, name, { dtype, folder, mapped })]
      const { weight, scale } = readQuantized(files, spec, name, folder, quantized.bits)
      scales.set(spec.name, scale)
      return [spec.name, weight]
    }
    const weights = noGrad(() => new Map(specs.map(read)))
    return assembleDecoder({ config, head, hfConfig, weights, dtype, scales })
  } finally {
    files.close()
  }
}

/**
 * Overwrites a model's weights with those of a folder that it was saved to.
 * @throws ClhaError (exit 2) for a tensor that is missing or of another shape
 */
export function reloadWeights(folder: string, model: Decoder): void {
  const files = openCheckedFiles(folder)
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
export function storedNames(files: TensorSource, { names }: DecoderConfig): (name: string) => string {
  const bare = `${names.embedding}.weight`
  if (files.entries.has(names.prefix + bare) || !files.entries.has(bare)) return (name) => name
  return (name) => (name.startsWith(names.prefix) ? name.slice(names.prefix.length) : name)
}

const PIECE = 2 ** 20

/** Of a head of its own beside a config that ties it transformers 5 takes both, older ones the embedding alone. */
function requireTied(
  files: TensorSource,
  stored: (name: string) => string,
  { names }: DecoderConfig,
  folder: string,
): void {
  const pair = [`${names.lmHead}.weight`, stored(`${names.prefix}${names.embedding}.weight`)]
  const [head, embedding] = pair.map((name) => files.entries.get(name))
  if (!head || !embedding) return
  const length = head.end - head.begin
  const pieces = [new Uint8Array(PIECE), new Uint8Array(PIECE)]
  const equalAt = (offset: number) => {
    const [a, b] = pieces.map((piece) => piece.subarray(0, Math.min(PIECE, length - offset)))
    files.readInto(pair[0], a, offset)
    files.readInto(pair[1], b, offset)
    return Buffer.compare(a, b) === 0
  }
  let same = head.dtype === embedding.dtype && length === embedding.end - embedding.begin
  for (let offset = 0; same && offset < length; offset += PIECE) same = equalAt(offset)
  if (same) return
  throw usageError(
    `${folder}: config.json says "tie_word_embeddings": true, and the weights hold ${pair[0]}, which is not ${pair[1]}`,
    'to use it, set "tie_word_embeddings": false; to use the embedding for both, take it out of the weights',
  )
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
