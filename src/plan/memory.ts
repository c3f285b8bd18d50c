/** Memory of a training by part, at its highest: what is held all the time, and what one micro-batch adds. */

import { KEPT_PROBABILITIES } from '../models/decoder/score.js'
import { blockNumbers } from './activations.js'
import type { ModelShape } from './shape.js'
import type { Size } from './tokens.js'

const MIB = 2 ** 20

/** Logits beyond those that are kept are made in chunks (native). */
const LOGITS_CHUNK = 64 * MIB

/** Freed memory waits for the next micro-batch, beyond the highest point so far this much (native/runtime/allocator). */
const WAITING = 64 * MIB

export interface MemoryOptions {
  recompute: boolean
  /** Tensors of the optimizer, each as large as what is trained. */
  moments: number
  /** Whether earlier micro-batches of the step have left their gradients. */
  accumulates: boolean
  /** Of keys and values while answers are generated; they are there when nothing else of a micro-batch is. */
  cacheBytes: number
  /** Of the process before the model: Node, libtorch, the data. */
  program: number
}

/** Bytes. */
export interface MemoryPlan {
  program: number
  weights: number
  gradients: number
  optimizer: number
  activations: number
  logits: number
  /** Keys and values while answers are generated: not at the same time as activations. */
  cache: number
  /** Memory that was freed and waits to be used again. */
  allocator: number
  /** At the highest point. Less than the sum where parts are not there at the same time. */
  peak: number
}

/** Bytes of what the blocks of a micro-batch keep. */
function activationBytes(shape: ModelShape, tokens: number, recompute: boolean): number {
  const { config, width } = shape
  const { kept, passing } = blockNumbers(shape)
  const d = config.hiddenSize
  const numbers = recompute ? config.layers * d + kept + passing : config.layers * kept
  return tokens * numbers * width
}

/** What stands between the last block and the loss: the stream before and after the last norm, the scored rows, logits. */
function headBytes(shape: ModelShape, { tokens, scored }: Size) {
  const { config, head, width, outputNumbers } = shape
  const d = config.hiddenSize
  const stream = (2 * tokens + 2 * scored) * d * width
  if (head === 'reward') return { stream, logits: 0 }
  const vocabulary = outputNumbers / (config.embeddingSize ?? d)
  const wide = Math.max(4, width) // narrow weights have their logits in f32
  const all = scored * vocabulary * wide
  const composed = width < 4 ? 3 * all : undefined
  const kept = Math.min(all, KEPT_PROBABILITIES)
  return { stream, logits: composed ?? kept + Math.min(all - kept, LOGITS_CHUNK) }
}

/**
 * The highest point of a step on a micro-batch of this size.
 *
 * While the head runs, all activations are there, its logits, and its gradient. While the blocks run back, the gradients that
 * pass through them. After an earlier micro-batch all gradients are there; in the first they come as activations go. Where
 * operators can't add to them in place (narrow weights), one is there twice for a moment: the largest is the head's or the embedding's.
 */
export function memoryPlan(shape: ModelShape, largest: Size, options: MemoryOptions): MemoryPlan {
  const { recompute, moments, accumulates, cacheBytes, program } = options
  const { width, weightBytes, trainedBytes } = shape
  const optimizer = moments * trainedBytes
  const activations = activationBytes(shape, largest.tokens, recompute)
  const { stream, logits } = headBytes(shape, largest)
  const headGradient = shape.headTrained ? shape.outputNumbers * width : 0
  const embeddingGradient = shape.embeddingTrained ? shape.embeddingNumbers * width : 0
  const twice = width < 4 ? Math.max(headGradient, embeddingGradient) * (shape.tied ? 2 : 1) : 0
  const passing = recompute ? 0 : largest.tokens * blockNumbers(shape).passing * width
  const gradients = trainedBytes
  const duringHead =
    activations + stream + logits + (accumulates ? gradients + Math.min(twice, headGradient) : headGradient)
  const duringBlocks = activations + passing + (accumulates ? gradients : headGradient)
  const afterwards = gradients + twice
  const held = program + weightBytes + optimizer
  const step = Math.max(duringHead, duringBlocks, afterwards, cacheBytes)
  const allocator = Math.min(WAITING, step)
  return {
    program,
    weights: weightBytes,
    gradients,
    optimizer,
    activations: activations + Math.max(passing, stream),
    logits,
    cache: cacheBytes,
    allocator,
    peak: held + step + allocator,
  }
}

/** The micro-batch that needs the most. */
export function largestOf(shape: ModelShape, sizes: readonly Size[], recompute: boolean): number {
  const need = (size: Size) => {
    const { stream, logits } = headBytes(shape, size)
    return activationBytes(shape, size.tokens, recompute) + stream + logits
  }
  let best = 0
  for (let i = 1; i < sizes.length; i++) if (need(sizes[i]) > need(sizes[best])) best = i
  return best
}
