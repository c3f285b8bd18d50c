/** What a plan has to know of a model: how many numbers, which of them are trained, in how many bytes. */
import { trainableWeights } from '../models/adapters/adapter.js'
import type { Decoder } from '../models/decoder/decoder.js'
import type { DecoderConfig } from '../models/decoder/decoder-config.js'
import type { HeadKind } from '../models/folders/weights.js'
import { isOneOperator, type Lora } from '../nn/lora.js'
import { shapeOf } from '../nn/projection.js'
import { DTYPES, type Tensor } from '../tensor/index.js'

export interface ModelShape {
  config: DecoderConfig
  head: HeadKind
  /** Of a number of the weights, and so of the activations. */
  width: number
  /** Whether inputs of the blocks' linear maps are kept in bf16. */
  bf16: boolean
  /** Numbers of the model without its adapter. */
  parameters: number
  trained: number
  /** Everything that is held: the model, its adapter, weights trained whole beside those that they stand for. */
  weightBytes: number
  /** Of the weights that are trained, which is that of their gradients. */
  trainedBytes: number
  /** Numbers in the matrices of all blocks; the part of them that is trained; those of low-rank maps. */
  blockMatrices: number
  trainedBlockMatrices: number
  /** `dropout`: whether the dropped inputs are kept. */
  lora: { columns: number; r: number; dropout: boolean; width: number }[]
  loraNumbers: number
  adapter: boolean
  embeddingTrained: boolean
  headTrained: boolean
  /** One matrix, from which both gradients come. */
  tied: boolean
  embeddingNumbers: number
  outputNumbers: number
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
const numbers = (t: Tensor): number => product(shapeOf(t))
const bytesOf = (t: Tensor): number => product(t.shape) * DTYPES[t.dtype].bytes

const sum = (tensors: Iterable<Tensor>, of: (t: Tensor) => number): number => {
  let total = 0
  for (const t of tensors) total += of(t)
  return total
}

/** Weights of a decoder are looked at by shape and dtype only. */
export function modelShape(model: Decoder): ModelShape {
  const trained = [...trainableWeights(model).values()]
  const isTrained = new Set(trained)
  const parts = model.blocks.flatMap(
    (block) => Object.values(block) as { weight?: Tensor; bias?: Tensor; lora?: Lora }[],
  )
  const matrices = parts.flatMap(({ weight }) => (weight && weight.shape.length === 2 ? [weight] : []))
  const maps = parts.flatMap(({ lora }) => (lora ? [lora] : []))
  const saved = [...(model.adapter?.saved.values() ?? [])]
  const held = new Set([
    ...model.weights.values(),
    ...model.scales.values(),
    ...saved.flatMap(({ base, copy }) => [base, copy]),
    ...maps.flatMap(({ a, b }) => [a, b]),
  ])
  return {
    config: model.config,
    head: model.head,
    width: DTYPES[model.dtype].bytes,
    bf16: model.bf16 ?? false,
    parameters: sum(model.weights.values(), numbers),
    trained: sum(trained, numbers),
    weightBytes: sum(held, bytesOf),
    trainedBytes: sum(trained, bytesOf),
    blockMatrices: sum(matrices, numbers),
    trainedBlockMatrices: sum(
      matrices.filter((t) => isTrained.has(t)),
      numbers,
    ),
    lora: maps.map(({ a, dropout }) => {
      const kept = dropout > 0 && !isOneOperator(a, model.dtype)
      return { columns: a.shape[1], r: a.shape[0], dropout: kept, width: DTYPES[a.dtype].bytes }
    }),
    loraNumbers: sum(
      maps.flatMap(({ a, b }) => [a, b]),
      numbers,
    ),
    adapter: model.adapter !== undefined,
    embeddingTrained: isTrained.has(model.embedding),
    headTrained: isTrained.has(model.output.weight),
    tied: model.embedding === model.output.weight,
    embeddingNumbers: numbers(model.embedding),
    outputNumbers: numbers(model.output.weight),
  }
}
