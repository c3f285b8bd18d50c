/** How much work a step is: tokens with and without packing, and the FLOPs that its model asks for. */
import type { PackedBatch } from '../../data/encode/pack.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { shapeOf } from '../../nn/projection.js'
import type { StepBatch } from '../loop/items.js'
import type { Tally } from '../loop/step-metrics.js'

export interface StepWork {
  /** Tokens of the packed stream. */
  tokens: number
  /** Tokens with the prompt once per answer, and the same as rows padded to the longest of their list. */
  unshared: number
  padded: number
  /** Of products of matrices and of attention, forward and backward, each thing computed once. */
  flops: number
}

export const noWork = (): StepWork => ({ tokens: 0, unshared: 0, padded: 0, flops: 0 })

export function addWork(sum: StepWork, step: StepWork): void {
  sum.tokens += step.tokens
  sum.unshared += step.unshared
  sum.padded += step.padded
  sum.flops += step.flops
}

/** @returns the work of a step */
export function workMeter(model: Decoder): (batch: StepBatch) => StepWork {
  const cost = costs(model)
  return ({ micro }) => {
    const work = noWork()
    for (const batch of micro) {
      work.tokens += batch.tokens.length
      work.flops += batchFlops(cost, batch)
      for (const { prompt, answers } of lengths(batch)) {
        const rows = answers.map((length) => prompt + length)
        work.unshared += rows.reduce((a, b) => a + b, 0)
        work.padded += rows.length * Math.max(...rows)
      }
    }
    return work
  }
}

/** Tokens of the stream by list: its prompt, and each of its answers. */
function lengths({ segments, offsets }: PackedBatch): { prompt: number; answers: number[] }[] {
  const lists = offsets
    .slice(1)
    .map((end, i) => ({ prompt: 0, answers: [] as number[], count: end - offsets[i] }))
  for (const { start, end, contextStart, list } of segments) {
    if (start === contextStart) lists[list].prompt = end - start
    else lists[list].answers.push(end - start)
  }
  // An answer of which nothing is in the stream has no segment.
  return lists.map(({ prompt, answers, count }) => ({
    prompt,
    answers: [...answers, ...new Array<number>(count - answers.length).fill(0)],
  }))
}

interface Costs {
  /** Elements of the matrices that every token passes, and of the head. */
  body: number
  head: number
  /** Elements of queries that a pair of query and key multiplies, by the layers' windows (0: none). */
  attention: Map<number, number>
  /** Forward and backward, in forwards: a frozen base has no products for gradients of weights. */
  passes: number
}

function costs({ config, weights, embedding, positions, output, blocks, adapter }: Decoder): Costs {
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
  let body = 0
  for (const weight of weights.values()) {
    const shape = shapeOf(weight)
    if (shape.length === 2 && weight !== embedding && weight !== positions && weight !== output.weight)
      body += size(shape)
  }
  const attention = new Map<number, number>()
  for (const { layer } of blocks) {
    const window = layer.window ?? 0
    attention.set(window, (attention.get(window) ?? 0) + config.heads * config.headDim)
  }
  return { body, head: size(shapeOf(output.weight)), attention, passes: adapter ? 2 : 3 }
}

function batchFlops({ body, head, attention, passes }: Costs, batch: PackedBatch): number {
  const scored = batch.rows.length > 0 ? batch.rows.length : batch.counts.length
  let forward = 2 * body * batch.tokens.length + 2 * head * scored
  for (const [window, width] of attention) forward += 4 * width * seenKeys(batch, window)
  return passes * forward
}

/** Pairs of a query and a key that it sees. */
function seenKeys({ segments }: PackedBatch, window: number): number {
  let pairs = 0
  for (const { start, end, contextStart, contextEnd } of segments) {
    const context = contextEnd - contextStart
    const length = end - start
    if (window === 0 || context + length <= window) pairs += length * context + (length * (length + 1)) / 2
    else for (let i = 1; i <= length; i++) pairs += Math.min(context + i, window)
  }
  return pairs
}

/** What packing saves, as shares of the tokens that padded rows, and then rows with a prompt each, would take. */
export function tallySavings(tally: Tally, { tokens, unshared, padded }: StepWork): void {
  tally.add('padding_saved', padded - unshared, padded)
  tally.add('prompt_sharing_saved', unshared - tokens, unshared)
}
