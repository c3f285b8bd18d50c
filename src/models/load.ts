/** A model from a Hugging Face folder: config.json and safetensors, read tensor by tensor into libtorch's memory. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openModelFiles } from '../checkpoint/model-files.js'
import type { TensorSource } from '../checkpoint/tensor-source.js'
import { usageError } from '../errors.js'
import { allocate, type DType, dtypeOfSafetensors, noGrad, ops, scope, type Tensor } from '../tensor/index.js'
import type { HfConfig } from './config.js'
import { assembleDecoder, type Decoder } from './decoder.js'
import { decoderConfig } from './families.js'
import { type HeadKind, type WeightSpec, weightSpecs } from './weights.js'

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

/** `…ForSequenceClassification` with one label is a reward model; everything else here is a language model. */
export function headOf(config: HfConfig, where: string): HeadKind {
  const architecture = String((config.architectures as string[] | undefined)?.[0] ?? '')
  if (!architecture.endsWith('ForSequenceClassification')) return 'lm'
  const labels = config.num_labels ?? Object.keys((config.id2label as object | undefined) ?? { 0: '' }).length
  if (labels !== 1) throw usageError(`${where}: a reward model has 1 label, this one has ${String(labels)}`)
  return 'reward'
}

/**
 * @param dtype what the weights are widened or narrowed to
 * @throws ClhaError (exit 2) for a family, a setting, a tensor or a file that does not fit
 */
export function loadModel(folder: string, dtype: DType = 'f32'): Decoder {
  const hfConfig = readHfConfig(folder)
  const where = join(folder, 'config.json')
  const config = decoderConfig(hfConfig, where)
  const head = headOf(hfConfig, where)
  const files = openModelFiles(folder)
  try {
    const specs = weightSpecs(config, head)
    checkNames(files, specs, config.tieWordEmbeddings, folder)
    const weights = noGrad(
      () => new Map(specs.map((spec) => [spec.name, readTensor(files, spec, dtype, folder)])),
    )
    return assembleDecoder(config, head, hfConfig, weights, dtype)
  } finally {
    files.close()
  }
}

/** Buffers of older checkpoints that are computed here. */
const IGNORED = /\.rotary_emb\.inv_freq$/

function checkNames(files: TensorSource, specs: readonly WeightSpec[], tied: boolean, folder: string): void {
  const expected = new Set(specs.map((s) => s.name))
  const missing = specs.filter((s) => !files.entries.has(s.name)).map((s) => s.name)
  const surplus = [...files.entries.keys()].filter(
    (name) => !expected.has(name) && !IGNORED.test(name) && !(tied && name === 'lm_head.weight'),
  )
  const list = (names: string[]) =>
    names.slice(0, 5).join(', ') + (names.length > 5 ? `, … (${names.length})` : '')
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

function readTensor(files: TensorSource, spec: WeightSpec, dtype: DType, folder: string): Tensor {
  const entry = files.entries.get(spec.name)
  const stored = entry && dtypeOfSafetensors(entry.dtype)
  if (!entry || !stored)
    throw usageError(`${folder}: tensor "${spec.name}" has dtype ${entry?.dtype}, which is no weight's`)
  if (entry.shape.join() !== spec.shape.join()) {
    throw usageError(
      `${folder}: tensor "${spec.name}" is [${entry.shape}], config.json makes it [${spec.shape}]`,
    )
  }
  return scope(() => {
    const tensor = allocate(spec.shape, stored)
    files.readInto(spec.name, tensor.bytes())
    return stored === dtype ? tensor : ops.to(tensor, dtype)
  })
}
