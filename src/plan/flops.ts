/** Floating-point operations of a training by kind: a product of [m, k] and [k, n] takes 2 m k n. */
import { KEPT_PROBABILITIES } from '../models/decoder/score.js'
import type { ModelShape } from './shape.js'
import type { Size } from './tokens.js'

export interface Work {
  /** Of the blocks, forward and backward. */
  blocks: number
  /** Of the LM head on the scored rows. */
  head: number
  /** Numbers that an optimizer step updates. */
  updates: number
}

/**
 * One micro-batch, forward and backward. A frozen matrix costs no gradient of its own, only the one that passes through it.
 * Attention: two products forward, five back, as its operator computes the scores again. Windows are not counted.
 */
export function trainWork(shape: ModelShape, { tokens, scored, keys }: Size, recompute: boolean): Work {
  const { config: c, blockMatrices, trainedBlockMatrices, loraNumbers } = shape
  const attention = 2 * keys * c.heads * c.headDim * c.layers
  const forward = 2 * tokens * (blockMatrices + loraNumbers) + 2 * attention
  const back = 2 * tokens * (blockMatrices + trainedBlockMatrices + 2 * loraNumbers) + 5 * attention
  const head = headProduct(shape, scored)
  const logits = scored * (shape.outputNumbers / (c.embeddingSize ?? c.hiddenSize)) * shape.width
  const again = logits === 0 ? 0 : Math.max(0, 1 - KEPT_PROBABILITIES / logits) // the share that is computed twice
  const products = 2 + (shape.headTrained ? 1 : 0) + again
  return { blocks: forward * (recompute ? 2 : 1) + back, head: head * products, updates: 0 }
}

/** A forward alone: of reference log-probabilities, and of losses that ask for scores before their gradient. */
export function forwardWork(shape: ModelShape, { tokens, scored, keys }: Size): Work {
  const { config: c, blockMatrices, loraNumbers } = shape
  const attention = 2 * keys * c.heads * c.headDim * c.layers
  return {
    blocks: 2 * tokens * (blockMatrices + loraNumbers) + 2 * attention,
    head: headProduct(shape, scored),
    updates: 0,
  }
}

/** Rows times head. A reward head is a single row. */
const headProduct = (shape: ModelShape, rows: number): number => 2 * rows * shape.outputNumbers

export const addWork = (a: Work, b: Work): Work => ({
  blocks: a.blocks + b.blocks,
  head: a.head + b.head,
  updates: a.updates + b.updates,
})

export const NO_WORK: Work = { blocks: 0, head: 0, updates: 0 }
