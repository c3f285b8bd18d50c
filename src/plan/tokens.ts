/** Tokens of a training as it will be packed: by list, by micro-batch of each step, and what packing saves. */
import type { EncodedExample } from '../data/encode/encoded.js'
import { stepIndices, stepsPerEpoch } from '../data/encode/order.js'
import { listTokens, paddedTokens } from '../data/encode/pack.js'

/** Of a list, or of several together. */
export interface Size {
  /** In the packed stream. */
  tokens: number
  /** Rows that go through the LM head. */
  scored: number
  /** Keys that all queries together see in a layer without a window. */
  keys: number
}

const triangle = (n: number) => (n * (n + 1)) / 2

/** @param lastToken as in packing: a reward model reads the last token too */
export function sizeOf(example: EncodedExample, lastToken: boolean): Size {
  const prompt = example.promptIds.length
  let keys = triangle(prompt)
  let scored = 0
  for (const { ids, scoredFrom } of example.answers) {
    const length = Math.max(0, ids.length - (lastToken ? 0 : 1))
    keys += triangle(prompt + length) - triangle(prompt)
    scored += lastToken ? 1 : ids.length - scoredFrom
  }
  return { tokens: listTokens(example, lastToken), scored, keys }
}

export const sumOf = (sizes: readonly Size[]): Size => {
  const sum = { tokens: 0, scored: 0, keys: 0 }
  for (const size of sizes) {
    sum.tokens += size.tokens
    sum.scored += size.scored
    sum.keys += size.keys
  }
  return sum
}

export interface Packing {
  batchSize: number
  totalSteps: number
  seed: number
  maxTokens: number
}

/** Steps after which the sizes of micro-batches repeat closely enough: longer trainings are extrapolated. */
const STEPS_LOOKED_AT = 20_000

export interface PlannedStep {
  step: number
  micro: Size[]
}

/** The micro-batches of each step, as the training will pack them. */
export function plannedSteps(sizes: readonly Size[], packing: Packing): PlannedStep[] {
  const { batchSize, totalSteps, seed, maxTokens } = packing
  return Array.from({ length: Math.min(totalSteps, STEPS_LOOKED_AT) }, (_, step) => {
    const { indices } = stepIndices(sizes.length, batchSize, seed, step)
    return {
      step,
      micro: microBatches(
        Array.from(indices, (i) => sizes[i]),
        maxTokens,
      ),
    }
  })
}

/** As packLists: in order, until the next list would not fit. */
export function microBatches(sizes: readonly Size[], maxTokens: number): Size[] {
  const out: Size[] = []
  let open: Size[] = []
  let tokens = 0
  for (const size of sizes) {
    if (open.length > 0 && tokens + size.tokens > maxTokens) {
      out.push(sumOf(open))
      open = []
      tokens = 0
    }
    open.push(size)
    tokens += size.tokens
  }
  if (open.length > 0) out.push(sumOf(open))
  return out
}

export interface TokenFigures {
  lists: number
  stepsPerEpoch: number
  /** Of one epoch. */
  tokens: number
  scored: number
  /** Every answer as a row with its prompt, padded to the longest of its own list. */
  padded: number
  /** The same rows without padding. */
  unshared: number
}

export function tokenFigures(
  examples: readonly EncodedExample[],
  lastToken: boolean,
  batchSize: number,
): TokenFigures {
  const { tokens, scored } = sumOf(examples.map((e) => sizeOf(e, lastToken)))
  const rows = examples.flatMap(({ promptIds, answers }) =>
    answers.map((a) => promptIds.length + a.ids.length),
  )
  return {
    lists: examples.length,
    stepsPerEpoch: stepsPerEpoch(examples.length, batchSize),
    tokens,
    scored,
    padded: examples.reduce((sum, e) => sum + paddedTokens(e), 0),
    unshared: rows.reduce((sum, n) => sum + n, 0),
  }
}
