/** Memory of a training by part, at its highest: what is held all the time, and what one micro-batch adds. */
import { blockNumbers } from './activations.js'
import type { ModelShape } from './shape.js'
import type { Size } from './tokens.js'

const MIB = 2 ** 20

/** Logits of a micro-batch are kept for the backward pass up to this size (models/score), else made in chunks (native). */
const KEPT_LOGITS = 512 * MIB
const LOGITS_CHUNK = 64 * MIB

/** The allocator takes sizes of eight to the octave, and lends a block up to a quarter too large: half a step on average. */
const ROUNDING = 1 / 16

/** Freed blocks wait for the next micro-batch, which has other sizes: at most this much (native/allocator), or all of a step. */
const WAITING = 256 * MIB

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
  /** Blocks that were freed and wait to be used again, and what rounding up their sizes takes. */
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
  return { stream, logits: composed ?? (all <= KEPT_LOGITS ? all : Math.min(all, LOGITS_CHUNK)) }
}

/**
 * The highest point of a step on a micro-batch of this size.
 *
 * While the head runs, all activations are there, its logits, and its gradient. While the blocks run back, the gradients that
 * pass through them. After an earlier micro-batch all gradients are there; in the first they come as activations go. A
 * gradient that is added to an earlier one is there twice for a moment: the largest is the head's or the embedding's.
 */
export function memoryPlan(shape: ModelShape, largest: Size, options: MemoryOptions): MemoryPlan {
  const { recompute, moments, accumulates, cacheBytes, program } = options
  const { width, weightBytes, trainedBytes } = shape
  const optimizer = moments * trainedBytes
  const activations = activationBytes(shape, largest.tokens, recompute)
  const { stream, logits } = headBytes(shape, largest)
  const headGradient = shape.headTrained ? shape.outputNumbers * width : 0
  const embeddingGradient = shape.embeddingTrained ? shape.embeddingNumbers * width : 0
  const largestGradient = Math.max(headGradient, embeddingGradient)
  const passing = recompute ? 0 : largest.tokens * blockNumbers(shape).passing * width
  const gradients = trainedBytes
  const duringHead = activations + stream + logits + (accumulates ? gradients + headGradient : headGradient)
  const duringBlocks = activations + passing + (accumulates ? gradients : headGradient)
  const afterwards = gradients + largestGradient * (shape.tied ? 2 : 1)
  const held = program + weightBytes + optimizer
  const step = Math.max(duringHead, duringBlocks, afterwards, cacheBytes)
  const allocator = step * ROUNDING + Math.min(WAITING, step)
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
