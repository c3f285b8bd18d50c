/**
 * Batched decoding over a key-value cache. Every step is one packed forward in which prompts that enter and rows that go on
 * stand side by side; finished rows leave at once and make room.
 */
import { usageError } from '../errors.js'
import { createCache, type Decoder, decode, logits } from '../models/decoder.js'
import type { KeyValueCache } from '../nn/cache.js'
import { packedStream, type Segment } from '../nn/layout.js'
import { createRandom } from '../random.js'
import { i64, noGrad, ops, scope } from '../tensor/index.js'
import type { TextTokenizer } from '../text/tokenizer.js'
import type { GeneratedAnswer, GenerateHooks, GenerateOptions, GenerateRequest, LiveRow } from './requests.js'
import { nextTokens } from './sampling.js'
import { finishedText } from './stopping.js'

/**
 * @returns one answer per request, in the order of the requests; undefined for those not finished when a stop was requested
 * @throws ClhaError (exit 2) for a prompt that is empty or leaves no room for an answer
 */
export async function generate(
  model: Decoder,
  tokenizer: TextTokenizer,
  requests: readonly GenerateRequest[],
  options: GenerateOptions,
  hooks: GenerateHooks = {},
): Promise<(GeneratedAnswer | undefined)[]> {
  const answers: (GeneratedAnswer | undefined)[] = requests.map(() => undefined)
  const limits = requests.map((r) => roomFor(model, r, options.maxNewTokens))
  const slotRows = Math.max(0, ...requests.map((r, i) => r.promptIds.length + limits[i]))
  const slots = Math.min(options.batchSize, requests.length)
  const cache = noGrad(() => createCache(model, slots * slotRows))
  const free = Array.from({ length: slots }, (_, i) => i)
  let live: LiveRow[] = []
  let next = 0
  let tokens = 0
  try {
    while ((next < requests.length || live.length > 0) && !hooks.stopRequested?.()) {
      while (free.length > 0 && next < requests.length) {
        live.push(enterRow(requests[next], next, free.pop() as number, limits[next], options.seed))
        next += 1
      }
      const chosen = forwardRows(model, cache, live, slotRows, options)
      tokens += live.length
      const going: LiveRow[] = []
      for (const [i, row] of live.entries()) {
        const answer = await advance(row, chosen[i], tokenizer, options, hooks)
        if (!answer) going.push(row)
        else {
          answers[row.request] = answer
          hooks.answer?.(row.request, answer)
          free.push(row.slot)
        }
      }
      live = going
      hooks.progress?.(next - live.length, tokens)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  } finally {
    cache.dispose()
  }
  return answers
}

function roomFor(model: Decoder, { promptIds, name }: GenerateRequest, maxNewTokens: number): number {
  const room = model.config.maxPositions - promptIds.length
  if (promptIds.length === 0) throw usageError(`${name}: the prompt has no tokens`)
  if (room < 1) {
    throw usageError(
      `${name}: a prompt of ${promptIds.length} tokens fills the context of ${model.config.maxPositions}`,
    )
  }
  return Math.min(room, maxNewTokens)
}

const enterRow = (
  r: GenerateRequest,
  request: number,
  slot: number,
  limit: number,
  seed: number,
): LiveRow => ({
  request,
  slot,
  pending: Array.from(r.promptIds),
  seen: 0,
  limit,
  ids: [],
  streamed: '',
  random: createRandom(`generate:${seed}:${r.name}`),
})

/** One forward for all live rows; the next token of each. */
function forwardRows(
  model: Decoder,
  cache: KeyValueCache,
  live: readonly LiveRow[],
  slotRows: number,
  options: GenerateOptions,
): number[] {
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
      const uniforms = options.temperature > 0 ? live.map((row) => row.random.next()) : []
      return nextTokens(logits(model, last), options, uniforms)
    }),
  )
}

/** Takes the next token; the answer when it is the last. */
async function advance(
  row: LiveRow,
  token: number,
  tokenizer: TextTokenizer,
  options: GenerateOptions,
  hooks: GenerateHooks,
): Promise<GeneratedAnswer | undefined> {
  const ended = options.stopIds.includes(token)
  if (!ended) {
    row.ids.push(token)
    row.pending = [token]
  }
  const full = row.ids.length >= row.limit
  const watched = options.stop.length > 0 || hooks.text !== undefined
  if (!ended && !full && !watched) return undefined
  const { text, stopped, certain } = finishedText(
    await tokenizer.decode(row.ids),
    options.stop,
    ended || full,
  )
  if (hooks.text && certain.length > row.streamed.length) {
    hooks.text(row.request, certain.slice(row.streamed.length))
    row.streamed = certain
  }
  if (!ended && !full && !stopped) return undefined
  return { text, ids: row.ids, finishReason: ended || stopped ? 'stop' : 'length' }
}
