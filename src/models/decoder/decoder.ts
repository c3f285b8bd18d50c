/** One decoder for every family, on the packed stream: the same forward trains, scores and generates. */
import { softcap } from '../../nn/activation.js'
import { runBlock } from '../../nn/block.js'
import { type KeyValueCache, keyValueCache } from '../../nn/cache.js'
import type { PackedStream } from '../../nn/layout.js'
import { addTableLora, type Lora, widened } from '../../nn/lora.js'
import { norm } from '../../nn/norm.js'
import { type Projection, project, shapeOf } from '../../nn/projection.js'
import { RotaryTables } from '../../nn/rotary.js'
import { type DType, halvesAreFast, keep, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import type { Adapter } from '../adapters/adapter-config.js'
import { type Places, placesOf } from '../folders/places.js'
import type { HeadKind } from '../folders/weights.js'
import type { DecoderConfig, HfConfig } from './decoder-config.js'
import { runBlocks, type Tape } from './recompute.js'

export interface Decoder extends Places {
  config: DecoderConfig
  head: HeadKind
  /** config.json as it was read or made; saved again beside the weights. */
  hfConfig: HfConfig
  dtype: DType
  /** By Hugging Face name, in a fixed order. Owned by the model. */
  weights: Map<string, Tensor>
  /** Of the weights that are in 8 or 4 bits, by their names. */
  scales: Map<string, Tensor>
  /** Makes logits in place of `output`: its matrix in 8 or 4 bits, in a model that nobody trains. */
  quantizedOutput?: Projection
  rotary: RotaryTables[]
  /** Of the adapter, beside the embedding. */
  embeddingLora?: Lora
  /** Low-rank maps beside the weights, which then stay as they are. */
  adapter?: Adapter
  /** Tensors among the weights that another model owns. */
  borrowed?: ReadonlySet<Tensor>
  /** Set by `inBf16`. */
  bf16?: boolean
  /** Set while a forward leaves its blocks to be computed again. */
  tape?: Tape
  dispose(): void
}

export interface DecoderParts extends Pick<Decoder, 'config' | 'head' | 'hfConfig' | 'weights' | 'dtype'> {
  scales?: Map<string, Tensor>
}

/** Puts weights in their places. The decoder owns them from here on. */
export function assembleDecoder({ scales = new Map(), ...parts }: DecoderParts): Decoder {
  const { config, head, weights, dtype } = parts
  for (const tensor of [...weights.values(), ...scales.values()]) keep(tensor)
  const rotary = config.ropes.map((rope) => new RotaryTables(rope, dtype))
  return {
    ...parts,
    scales,
    ...placesOf(config, head, weights, scales),
    rotary,
    dispose: () => {
      for (const tensor of [...weights.values(), ...scales.values()]) tensor.dispose()
      for (const tables of rotary) tables.dispose()
    },
  }
}

/**
 * Hidden states as the head takes them, [T, D]: after the last norm and projection. `stream.segments` says who may look at
 * whom.
 * @param cache keys and values of past tokens; the stream's own are written to `stream.cacheRows`
 */
export function decode(model: Decoder, stream: PackedStream, cache?: KeyValueCache): Tensor {
  const { config } = model
  const context = {
    rotary: angles(model, stream),
    segments: stream.segments,
    cacheRows: stream.cacheRows,
    // A few tokens over a cache would round all weights for hardly any product.
    bf16: model.bf16 && !cache,
  }
  const run = (x: Tensor, layer: number) =>
    runBlock(x, model.blocks[layer], config, context, cache?.layers[layer])
  const hidden = runBlocks(embed(model, stream), model.blocks, run, model.tape)
  const last = model.finalNorm ? norm(hidden, model.finalNorm, config.norm) : hidden
  return model.projectOut ? project(last, model.projectOut) : last
}

/** Cosines and sines of the stream's positions, from each rotary table. */
function angles({ rotary }: Decoder, { positions, reach }: PackedStream) {
  return rotary.map((tables) => tables.at(positions, reach))
}

/** Token embeddings, scaled, widened and with learned positions where the family has these, [T] -> [T, D]. */
function embed(model: Decoder, stream: PackedStream): Tensor {
  const { config, embedding, embeddingLora, positions, projectIn } = model
  let hidden = ops.embedding(embedding, stream.tokens)
  if (embeddingLora) hidden = addTableLora(hidden, stream.tokens, embeddingLora)
  // The factor is rounded to the weights' dtype, as in Hugging Face.
  if (config.embeddingScale) hidden = ops.mul(hidden, ops.full([], config.embeddingScale, hidden.dtype))
  if (projectIn) hidden = project(hidden, projectIn)
  if (!positions) return hidden
  const rows = config.positionOffset
    ? ops.addScalar(stream.positions, config.positionOffset)
    : stream.positions
  return ops.add(hidden, ops.embedding(positions, rows))
}

/** Logits of hidden rows, [R, D] -> [R, V]. */
export function logits(model: Decoder, hidden: Tensor): Tensor {
  const plain = project(hidden, outputOf(model))
  return model.config.logitSoftcap ? softcap(plain, model.config.logitSoftcap) : plain
}

/** log p of a target token for each hidden row, and whether it is the first choice: [R, D], [R] -> [R], [R] bool. */
export function targetLogProbs(
  model: Decoder,
  hidden: Tensor,
  targets: Tensor,
  keepBytes = 0,
): [logp: Tensor, hits: Tensor] {
  const { weight: plain, bias, scale, lora } = outputOf(model)
  const adapted = lora?.mode.on ? lora : undefined
  if (scale || (adapted && adapted.a.dtype !== plain.dtype)) return logProbsInChunks(model, hidden, targets)
  const [x, weight] = adapted ? widened(hidden, plain, adapted) : [hidden, plain]
  const rows = model.bf16 && halvesAreFast() ? ops.to(x, 'bf16') : x
  return ops.linearLogProb(rows, weight, targets, keepBytes, bias ?? null, model.config.logitSoftcap ?? 0)
}

const outputOf = ({ quantizedOutput, output }: Decoder): Projection => quantizedOutput ?? output

/** Logits that are there at once. */
const CHUNK = 2 ** 24

/** `targetLogProbs` of a head in 8 or 4 bits, or with low-rank maps of another type. */
function logProbsInChunks(model: Decoder, hidden: Tensor, targets: Tensor): [logp: Tensor, hits: Tensor] {
  const rows = hidden.shape[0]
  const most = Math.max(1, Math.floor(CHUNK / model.config.vocabSize))
  const parts: [Tensor, Tensor][] = []
  for (let row = 0; row < rows || row === 0; row += most) {
    const count = Math.min(most, rows - row)
    parts.push(
      scope(() => {
        const wanted = ops.narrow(targets, 0, row, count)
        const all = ops.logSoftmax(logits(model, ops.narrow(hidden, 0, row, count)), 1)
        const logp = ops.squeeze(ops.gather(all, 1, ops.unsqueeze(wanted, 1)), 1)
        return [logp, ops.eq(ops.argmax(all, 1), wanted)]
      }),
    )
  }
  return [ops.cat(parts.map(([logp]) => logp)), ops.cat(parts.map(([, hits]) => hits))]
}

/** ln of the sum of squared probabilities over the vocabulary at each row, without gradient, [R, D] -> [R]. */
export function logSumSquares(model: Decoder, hidden: Tensor): Tensor {
  const rows = hidden.shape[0]
  const most = Math.max(1, Math.floor(CHUNK / model.config.vocabSize))
  const parts: Tensor[] = []
  for (let row = 0; row < rows || row === 0; row += most) {
    const count = Math.min(most, rows - row)
    parts.push(
      noGrad(() =>
        scope(() => {
          const all = ops.logSoftmax(logits(model, ops.narrow(hidden, 0, row, count)), 1)
          return ops.log(ops.sumDim(ops.square(ops.exp(all)), [1]))
        }),
      ),
    )
  }
  return ops.cat(parts)
}

/** Rewards at the given rows of the stream, or at all, [T, D] -> [R]. */
export function rewards(model: Decoder, hidden: Tensor, rows?: Tensor): Tensor {
  const pooled = rows ? ops.indexSelect(hidden, 0, rows) : hidden
  return ops.squeeze(project(pooled, model.output), 1)
}

/**
 * Mixed precision (Micikevicius et al., arXiv 1710.03740, with bfloat16, which needs no loss scaling): while `fn` runs, the
 * model's blocks make their matrix products in bf16. Weights and their gradients, norms, attention, residual stream, head and
 * log-probabilities stay f32. On a GPU what lies between two products of a block, attention included, and the head's product
 * are bf16 too.
 */
export async function inBf16<T>(model: Decoder, on: boolean, fn: () => Promise<T>): Promise<T> {
  const before = model.bf16
  model.bf16 = on
  try {
    return await fn()
  } finally {
    model.bf16 = before
  }
}

export function createCache(model: Decoder, rows: number): KeyValueCache {
  const { layers, kvHeads, headDim } = model.config
  return keyValueCache(layers, rows, kvHeads, headDim, model.dtype)
}

export function parameterCount(model: Decoder): number {
  let count = 0
  for (const tensor of model.weights.values()) count += shapeOf(tensor).reduce((a, b) => a * b, 1)
  return count
}
