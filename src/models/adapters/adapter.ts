/** An adapter on a decoder: low-rank maps beside frozen weights, and full copies of a few modules. PEFT's LoRA. */

import { usageError } from '../../errors.js'
import type { Lora, LoraMode } from '../../nn/lora.js'
import { shapeOf } from '../../nn/projection.js'
import { createRandom } from '../../random.js'
import {
  allocate,
  type DType,
  fromData,
  Generator,
  keep,
  noGrad,
  onDevice,
  ops,
  scope,
  type Tensor,
} from '../../tensor/index.js'
import type { Decoder } from '../decoder/decoder.js'
import { bitsOf } from '../decoder/quantized.js'
import { placesOf } from '../folders/places.js'
import { type Adapter, type AdapterConfig, CLASSIFIER_MODULES, type LoraOptions } from './adapter-config.js'
import {
  ALL_LINEAR,
  canStayTied,
  linearMaps,
  patterned,
  savedTie,
  savedWeights,
  targetsOf,
  vocabularyModules,
  weightOf,
} from './adapter-targets.js'

/** Where the tensors of a new adapter come from. */
export interface AdapterSource {
  /** A [r, in] or B [out, r] of a module; of an embedding A [r, V] or B [D, r]. */
  lora(module: string, part: LoraPart, shape: number[], dtype: DType): Tensor
  /** The copy of a weight that is trained whole. */
  saved(weight: string, base: Tensor): Tensor
  /** What the files bring in place of the base's embedding and head; `place` puts one there. */
  kept?(place: (weight: string, tensor: Tensor) => void): void
}

export type LoraPart = 'lora_A' | 'lora_B' | 'lora_embedding_A' | 'lora_embedding_B'

/** PEFT's names of a module's two matrices. */
export const loraParts = (table: boolean): [a: LoraPart, b: LoraPart] =>
  table ? ['lora_embedding_A', 'lora_embedding_B'] : ['lora_A', 'lora_B']

/** As it is written in a file. */
export const loraName = (module: string, part: LoraPart): string =>
  `${module}.${part}${part.startsWith('lora_embedding') ? '' : '.weight'}`

/**
 * Puts a fresh adapter on a model: A uniform in ±1 / sqrt(in) (PEFT's Kaiming start), B zero, so that nothing changes yet.
 * @param seed of A, and of the dropout
 * @throws ClhaError (exit 2) for a target or a module that the model lacks
 */
export function attachAdapter(
  model: Decoder,
  options: LoraOptions & { base?: string; revision?: string },
  seed: number,
  source: AdapterSource = freshTensors(seed),
): Adapter {
  const reward = model.head === 'reward'
  const modulesToSave = [...new Set([...(reward ? CLASSIFIER_MODULES : []), ...options.modulesToSave])]
  const taskType = reward ? 'SEQ_CLS' : 'CAUSAL_LM'
  const tie = savedTie(model, options.modulesToSave)
  if (tie !== undefined && !canStayTied(tie))
    throw usageError(
      `modules_to_save: ${tie} is embedding and LM head at once, which PEFT would tear apart`,
      'leave it out, or train all weights (use_peft: false)',
    )
  const named = {
    ...options,
    modulesToSave,
    taskType,
    rankPattern: {},
    alphaPattern: {},
    tiesSaved: tie !== undefined,
  }
  const bits = bitsOf(model)
  const narrow = wholeWeights(model, named).find((name) => model.scales.has(name))
  if (narrow !== undefined)
    throw usageError(
      `modules_to_save: ${narrow} is held in ${bits} bits, which can't be trained`,
      `leave it out, or set load_in_${bits}bit: false`,
    )
  const targets = targetsOf(model, named, true)
  // Written out: what `all-linear` takes in is not the same in every tool.
  const kinds = [...new Set(targets.map((name) => name.split('.').at(-1) as string))]
  const config = options.targetModules === ALL_LINEAR ? { ...named, targetModules: kinds.sort() } : named
  return installAdapter(model, config, seed, source)
}

function freshTensors(seed: number): AdapterSource {
  const random = createRandom(`lora/${seed}`)
  return {
    lora: (_, part, shape, dtype) => {
      // One of the two is zero, so that nothing changes yet.
      if (part === 'lora_B' || part === 'lora_embedding_A') return ops.zeros(shape, dtype)
      if (part === 'lora_embedding_B') return normal(shape, dtype, seed)
      const bound = 1 / Math.sqrt(shape[1])
      const values = Float32Array.from({ length: shape[0] * shape[1] }, () => (2 * random.next() - 1) * bound)
      return ops.to(fromData(values, shape), dtype)
    },
    saved: (_, base) => ops.clone(base),
  }
}

const normal = (shape: number[], dtype: DType, seed: number): Tensor => {
  const generator = new Generator(seed)
  const drawn = ops.to(onDevice(ops.normalInPlace(allocate(shape), 0, 1, generator)), dtype)
  generator.dispose()
  return drawn
}

export interface MapShape {
  name: string
  /** Of the embedding. */
  table: boolean
  r: number
  alpha: number
  columns: number
  out: number
}

/** The low-rank maps that a config makes on a model. @param vocabulary rows of embedding and head, where files bring others */
export function mapShapes(
  model: Decoder,
  config: AdapterConfig,
  vocabulary = model.config.vocabSize,
): MapShape[] {
  const { embedding, head } = vocabularyModules(model)
  return targetsOf(model, config, false).map((name) => {
    const [rows, width] = shapeOf(model.weights.get(weightOf(model, name)) as Tensor)
    const table = name === embedding
    const out = table ? width : name === head ? vocabulary : rows
    const r = patterned(config.rankPattern, name, config.r)
    const alpha = patterned(config.alphaPattern, name, config.alpha)
    return { name, table, r, alpha, columns: table ? vocabulary : width, out }
  })
}

/** Names of the weights that a config trains whole. */
export const wholeWeights = (
  model: Decoder,
  { modulesToSave, taskType, tiesSaved }: AdapterConfig,
): string[] =>
  savedWeights(model, modulesToSave, [
    ...(taskType === 'SEQ_CLS' ? CLASSIFIER_MODULES : []),
    ...(tiesSaved ? [model.config.names.lmHead] : []),
  ])

/** Fits an adapter of this config to the model; the model owns its tensors from here on. */
export function installAdapter(
  model: Decoder,
  config: AdapterConfig,
  seed: number,
  source: AdapterSource,
): Adapter {
  if (model.adapter) throw new Error('the model has an adapter already')
  const mode: LoraMode = { on: true }
  const kept = new Map<string, Tensor>()
  source.kept?.((weight, tensor) => kept.set(weight, keepIn(model, weight, tensor)))
  const shapes = mapShapes(model, config)
  const whole = wholeWeights(model, config)
  // Low-rank maps of a narrow model are kept in f32, as PEFT does: their updates are small.
  const dtype = model.dtype === 'f64' ? 'f64' : 'f32'
  const owned = (make: () => Tensor) => keep(noGrad(() => scope(make)))
  const maps = new Map(
    shapes.map(({ name, table, r, alpha, columns, out }, place): [string, Lora] => {
      const [first, second] = loraParts(table)
      const a = owned(() => source.lora(name, first, [r, columns], dtype))
      const b = owned(() => source.lora(name, second, [out, r], dtype))
      const scale = alpha / (config.useRslora ? Math.sqrt(r) : r)
      return [name, { a, b, scale, dropout: config.dropout, place, mode, ...(table && { table }) }]
    }),
  )
  const saved = new Map(
    whole.map((name) => {
      const base = model.weights.get(name) as Tensor
      return [name, { base, copy: owned(() => source.saved(name, base)) }]
    }),
  )
  const adapter = { config, seed, mode, maps, saved, kept }
  const disposeModel = model.dispose
  model.adapter = adapter
  placeAdapter(model, 'copy')
  model.dispose = () => {
    for (const { a, b } of maps.values()) for (const t of [a, b]) t.dispose()
    for (const { base } of saved.values()) if (!model.borrowed?.has(base)) base.dispose()
    disposeModel()
  }
  return adapter
}

/** Puts a tensor in the place of a weight for good. */
function keepIn(model: Decoder, weight: string, tensor: Tensor): Tensor {
  const before = model.weights.get(weight) as Tensor
  model.weights.set(weight, keep(tensor))
  Object.assign(model, placesOf(model.config, model.head, model.weights, model.scales))
  if (!model.borrowed?.has(before)) before.dispose()
  return tensor
}

/** Puts the weights trained whole, or the base's, in their places, and the low-rank maps beside theirs. */
export function placeAdapter(model: Decoder, which: 'copy' | 'base'): void {
  const { maps, saved } = model.adapter as Adapter
  for (const [name, both] of saved) model.weights.set(name, both[which])
  if (saved.size > 0) Object.assign(model, placesOf(model.config, model.head, model.weights, model.scales))
  for (const [name, linear] of linearMaps(model)) linear.lora = maps.get(name)
  const { embedding, head } = vocabularyModules(model)
  model.embeddingLora = maps.get(embedding)
  if (head) model.output.lora = maps.get(head)
}

/** The adapter's tensors under the names of PEFT's files. */
export function adapterTensors({ maps, saved }: Adapter): Map<string, Tensor> {
  const out = new Map<string, Tensor>()
  for (const [name, { a, b, table = false }] of maps) {
    const [first, second] = loraParts(table)
    out.set(`base_model.model.${loraName(name, first)}`, a)
    out.set(`base_model.model.${loraName(name, second)}`, b)
  }
  for (const [name, { copy }] of saved) out.set(`base_model.model.${name}`, copy)
  return out
}

/** What training changes: the adapter's tensors where there is one, else all weights. */
export const trainableWeights = (model: Decoder): Map<string, Tensor> =>
  model.adapter ? adapterTensors(model.adapter) : model.weights

/** Runs `fn` with the base model alone, without a second copy. */
export function withAdapterOff<T>(model: Decoder, fn: () => T): T {
  const { adapter } = model
  if (!adapter) throw new Error('the model has no adapter to switch off')
  const whole = adapter.saved.size > 0
  adapter.mode.on = false
  if (whole) placeAdapter(model, 'base')
  try {
    return fn()
  } finally {
    if (whole) placeAdapter(model, 'copy')
    adapter.mode.on = true
  }
}

/** Runs `fn` with the base model alone, whether an adapter stands on it or none does. */
export const onBaseAlone = <T>(model: Decoder, fn: () => T): T =>
  model.adapter ? withAdapterOff(model, fn) : fn()

/** Runs a training forward (and what computes it again): dropout is on, drawn from the adapter's seed and `key` alone. */
export function withDropout<T>(model: Decoder, key: string | undefined, fn: () => T): T {
  const { adapter } = model
  if (!adapter || key === undefined) return fn()
  adapter.mode.noise = `${adapter.seed}/${key}`
  try {
    return fn()
  } finally {
    adapter.mode.noise = undefined
  }
}
