/**
 * Rows that decode together over a key-value cache. Every step is one packed forward in which prompts that enter and rows
 * that go on stand side by side; requests enter between steps, each with its own settings, and finished rows make room at once.
 */
import { ClhaError } from '../errors.js'
import { EXIT } from '../exit-codes.js'
import { createCache, type Decoder, decode, logits } from '../models/decoder/decoder.js'
import type { KeyValueCache } from '../nn/cache.js'
import { packedStream, type Segment } from '../nn/layout.js'
import { createRandom } from '../random.js'
import { i64, noGrad, ops, scope, type Tensor } from '../tensor/index.js'
import type { TextTokenizer } from '../text/tokenizer.js'
import { logprobsOfRows, type TokenLogprob } from './logprobs.js'
import type { GeneratedAnswer, GenerateRequest, LiveRow, RowHooks, RowOptions } from './requests.js'
import { tokensOfRows } from './sampling.js'
import { finishedText } from './stopping.js'

export interface Batch {
  /** Rows that may enter now. */
  free(): number
  /** Rows that go on. */
  live(): number
  /** Takes a row in; its prompt is read in the next step. The prompt and `maxNewTokens` have to fit into the batch's rows. */
  enter(request: GenerateRequest, options: RowOptions, hooks: RowHooks): { leave(): void }
  /** One token for every row. @returns tokens made */
  step(): Promise<number>
  dispose(): void
}

/**
 * @param slots    rows that run together
 * @param slotRows tokens of prompt and answer that a row may have
 */
export function createBatch(
  model: Decoder,
  tokenizer: TextTokenizer,
  slots: number,
  slotRows: number,
): Batch {
  const cache = noGrad(() => createCache(model, slots * slotRows))
  const free = Array.from({ length: slots }, (_, i) => i)
  let live: LiveRow[] = []
  const sweep = () => {
    for (const row of live) if (row.left) free.push(row.slot)
    live = live.filter((row) => !row.left)
  }
  return {
    free: () => free.length,
    live: () => live.length,
    enter(request, options, hooks) {
      const row = enterRow(request, free.pop() as number, options, hooks)
      live.push(row)
      return {
        leave: () => {
          row.left = true
        },
      }
    },
    async step() {
      sweep()
      if (live.length === 0) return 0
      const rows = live
      const chosen = forwardRows(model, cache, rows, slotRows)
      for (const [i, row] of rows.entries()) {
        // A row may be given up while others are decoded to text.
        if (row.left) continue
        const next = chosen[i]
        if (next instanceof ClhaError) {
          fail(row, next)
          continue
        }
        const answer = await advance(row, next, tokenizer)
        if (!answer || row.left) continue
        row.left = true
        row.hooks.done(answer)
      }
      sweep()
      return rows.length
    },
    dispose: () => cache.dispose(),
  }
}

const enterRow = (
  { promptIds, name }: GenerateRequest,
  slot: number,
  options: RowOptions,
  hooks: RowHooks,
): LiveRow => ({
  slot,
  options,
  hooks,
  pending: Array.from(promptIds),
  seen: 0,
  ids: [],
  ...(options.logprobs !== undefined && { logprobs: [] }),
  streamed: '',
  random: createRandom(`generate:${options.seed}:${name}`),
  left: false,
})

interface NextToken {
  id: number
  logprob?: TokenLogprob
}

/** @throws what ended it, where nobody listens */
function fail(row: LiveRow, error: ClhaError): void {
  if (!row.hooks.failed) throw error
  row.left = true
  row.hooks.failed(error)
}

/** One forward for all live rows; the next token of each, or what is wrong with its logits. */
function forwardRows(
  model: Decoder,
  cache: KeyValueCache,
  live: readonly LiveRow[],
  slotRows: number,
): (NextToken | ClhaError)[] {
  const tokens: number[] = []
  const positions: number[] = []
  const cacheRows: number[] = []
  const segments: Segment[] = live.map((row) => {
    const q0 = tokens.length
    const k0 = row.slot * slotRows
    row.pending.forEach((token, t) => {
      tokens.push(token)
      positions.push(row.seen + t)
      cacheRows.push(k0 + row.seen + t)
    })
    row.seen += row.pending.length
    return { q0, q1: tokens.length, c0: 0, c1: 0, k0, k1: k0 + row.seen, task: row.slot }
  })
  return noGrad(() =>
    scope(() => {
      const hidden = decode(model, packedStream(tokens, positions, segments, cacheRows), cache)
      const last = ops.indexSelect(hidden, 0, i64(segments.map((s) => s.q1 - 1))) // [rows, D]
      const uniforms = live.map(({ options, random }) => (options.temperature > 0 ? random.next() : 0))
      const options = live.map((row) => row.options)
      const scores = logits(model, last)
      const ids = choose(scores, options, uniforms)
      const likely = logprobsOfRows(
        scores,
        ids.map((id) => (id instanceof ClhaError ? 0 : id)),
        options.map((o, i) => (ids[i] instanceof ClhaError ? undefined : o.logprobs)),
      )
      return ids.map((id, i) => (id instanceof ClhaError ? id : { id, logprob: likely[i] }))
    }),
  )
}

/** Where a row is not finite, each is asked alone: it ends no other. */
function choose(
  scores: Tensor,
  options: readonly RowOptions[],
  uniforms: readonly number[],
): (number | ClhaError)[] {
  try {
    return tokensOfRows(scores, options, uniforms)
  } catch (error) {
    if (!isNotFinite(error)) throw error
    if (options.length === 1) return [error]
    return options.flatMap((own, i) => choose(ops.narrow(scores, 0, i, 1), [own], [uniforms[i]]))
  }
}

const isNotFinite = (error: unknown): error is ClhaError =>
  error instanceof ClhaError && error.exitCode === EXIT.numerics

/** Takes the next token; the answer when it is the last. */
async function advance(
  row: LiveRow,
  { id: token, logprob }: NextToken,
  tokenizer: TextTokenizer,
): Promise<GeneratedAnswer | undefined> {
  const { options, hooks } = row
  const ended = options.stopIds.includes(token)
  if (!ended) {
    row.ids.push(token)
    if (logprob) row.logprobs?.push(logprob)
    row.pending = [token]
  }
  const full = row.ids.length >= options.maxNewTokens
  const watched = options.stop.length > 0 || hooks.text !== undefined
  if (!ended && !full && !watched) return undefined
  const { text, stopped, certain } = finishedText(
    await tokenizer.decode(row.ids),
    options.stop,
    ended || full,
  )
  if (hooks.text && certain.length > row.streamed.length && !row.left) {
    hooks.text(certain.slice(row.streamed.length), row.logprobs)
    row.streamed = certain
  }
  if (!ended && !full && !stopped) return undefined
  const finishReason = ended || stopped ? 'stop' : 'length'
  return {
    text,
    ids: row.ids,
    ...(ended && { endId: token }),
    finishReason,
    ...(row.logprobs && { logprobs: row.logprobs }),
  }
}
