/** Lists packed into one flat stream: each prompt once, its answers behind it, no padding. */
import type { EncodedAnswer, EncodedExample } from './encoded.js'

/** A run of tokens: rows [start, end) of the stream; its context is rows [contextStart, contextEnd). */
export interface PackedSegment {
  start: number
  end: number
  contextStart: number
  contextEnd: number
  /** Place of its list in the batch. */
  list: number
}

export interface PackedBatch {
  /** [T] */
  tokens: Int32Array
  positions: Int32Array
  segments: PackedSegment[]
  /** Scored tokens: the row whose hidden state predicts it, the token, and the flat index of its candidate, each [R]. */
  rows: Int32Array
  targets: Int32Array
  owners: Int32Array
  /** Scored tokens of each candidate, [C]. */
  counts: number[]
  /** Row of each candidate's last token, [C]; only where `lastToken` was asked for. */
  lastRows: Int32Array
  /** Candidates of list i are offsets[i] … offsets[i + 1] - 1; [lists + 1]. */
  offsets: number[]
  /** Place of each list in what was packed. */
  places: number[]
}

export interface PackOptions {
  /** Tokens of a micro-batch; a list that is longer alone is a micro-batch of its own. */
  maxTokens: number
  /** Keep each answer's last token in the stream: a reward is read there, a language model has nothing to predict from it. */
  lastToken: boolean
}

const streamLength = ({ ids }: EncodedAnswer, lastToken: boolean) =>
  Math.max(0, ids.length - (lastToken ? 0 : 1))

/** Tokens that a list takes in the stream. */
export function listTokens(example: EncodedExample, lastToken: boolean): number {
  return example.answers.reduce((sum, a) => sum + streamLength(a, lastToken), example.promptIds.length)
}

/** Tokens that the same list takes as padded rows of its own longest row, for the figure of what packing saves. */
export function paddedTokens(example: EncodedExample): number {
  const longest = Math.max(...example.answers.map((a) => a.ids.length))
  return example.answers.length * (example.promptIds.length + longest)
}

/**
 * Micro-batches in the given order; every list is in exactly one.
 * @example
 * ```ts
 * const { examples } = await readExamples('prefs.jsonl')
 * const tokenizer = await loadTokenizer('model')
 * const { encoded } = await encodeExamples(examples, tokenizer, await chatTemplate(tokenizer, 'hh'), { maxLength: 128 })
 * const batches = packLists(encoded.slice(0, 2), { maxTokens: 2048, lastToken: false })
 * // The answers of list i: offsets[i] to offsets[i + 1].
 * batches[0].offsets // [0, 2, 4]
 * ```
 */
export function packLists(examples: readonly EncodedExample[], options: PackOptions): PackedBatch[] {
  const out: PackedBatch[] = []
  let open: number[] = []
  let tokens = 0
  const flush = () => {
    if (open.length > 0) out.push(packOne(examples, open, options.lastToken))
    open = []
    tokens = 0
  }
  examples.forEach((example, i) => {
    const size = listTokens(example, options.lastToken)
    if (open.length > 0 && tokens + size > options.maxTokens) flush()
    open.push(i)
    tokens += size
  })
  flush()
  return out
}

function packOne(examples: readonly EncodedExample[], places: number[], lastToken: boolean): PackedBatch {
  const tokens: number[] = []
  const positions: number[] = []
  const segments: PackedSegment[] = []
  const rows: number[] = []
  const targets: number[] = []
  const owners: number[] = []
  const counts: number[] = []
  const lastRows: number[] = []
  const offsets = [0]
  places.forEach((index, list) => {
    const { promptIds, answers } = examples[index]
    const contextStart = tokens.length
    for (let t = 0; t < promptIds.length; t++) {
      tokens.push(promptIds[t])
      positions.push(t)
    }
    const contextEnd = tokens.length
    const lastPromptRow = contextEnd - 1
    if (promptIds.length === 0 && !lastToken) {
      throw new Error(
        `${examples[index].id}: an empty prompt, the first token has nothing to be predicted from`,
      )
    }
    segments.push({ start: contextStart, end: contextEnd, contextStart, contextEnd: contextStart, list })
    for (const answer of answers) {
      const { ids, scoredFrom } = answer
      const start = tokens.length
      const length = streamLength(answer, lastToken)
      for (let t = 0; t < length; t++) {
        tokens.push(ids[t])
        positions.push(promptIds.length + t)
      }
      for (let t = scoredFrom; t < ids.length; t++) {
        rows.push(t === 0 ? lastPromptRow : start + t - 1)
        targets.push(ids[t])
        owners.push(counts.length)
      }
      if (length > 0) segments.push({ start, end: start + length, contextStart, contextEnd, list })
      lastRows.push(length > 0 ? start + length - 1 : lastPromptRow)
      counts.push(ids.length - scoredFrom)
    }
    offsets.push(counts.length)
  })
  return {
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from(positions),
    segments,
    rows: Int32Array.from(rows),
    targets: Int32Array.from(targets),
    owners: Int32Array.from(owners),
    counts,
    lastRows: Int32Array.from(lastRows),
    offsets,
    places,
  }
}

/** Values of a batch's candidates, together by list: its place among what was packed, and a value for each of its answers. */
export const valuesByList = <T>(batch: PackedBatch, values: readonly T[]): [list: number, values: T[]][] =>
  batch.places.map((list, i) => [list, values.slice(batch.offsets[i], batch.offsets[i + 1])])
