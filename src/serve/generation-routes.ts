/** `/v1/completions` and `/v1/chat/completions`, whole or as a stream of events. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { leftOut } from '../data/encode/refused.js'
import type { Message } from '../dialogue.js'
import type { TokenLogprob } from '../generate/logprobs.js'
import type { GeneratedAnswer } from '../generate/requests.js'
import type { ChatTemplate } from '../text/template.js'
import type { TextTokenizer } from '../text/tokenizer.js'
import { ApiError, asApiError, badRequest, errorBody, named } from './api-error.js'
import { type DecodingDefaults, type Encoded, engineRequests, requireRoom, samplesOf } from './decoding.js'
import { encodeAll } from './encode-prompts.js'
import { type Engine, type EngineRequest, requireCount } from './engine.js'
import { eventQueue } from './event-queue.js'
import { leadCutter } from './lead-cutter.js'
import { chatLogprobs, completionLogprobs, type ShapeLogprobs } from './logprobs.js'
import type { ReadBody } from './read-body.js'
import { chatFields, completionFields, dialogueOf, type SamplingFields } from './request-fields.js'

export interface ServedLanguageModel {
  name: string
  tokenizer: TextTokenizer
  template: ChatTemplate
  engine: Engine
  defaults: DecodingDefaults
  /** Texts that end every chat answer, beside those of the template. */
  stops: readonly string[]
  /** Tokens of prompt and answer. */
  contextLength: number
  /** Answers that may wait. */
  maxQueue: number
}

/** The two shapes of an answer. */
interface Shape {
  id: string
  object: string
  chunkObject: string
  /** White space that the template puts before an answer. */
  lead: string
  whole(text: string): object
  /** The first chunk of a choice; none for completions. */
  opening?: object
  piece(text: string): object
  logprobs: ShapeLogprobs
}

export function generationRoutes(app: Hono, lm: ServedLanguageModel, readBody: ReadBody): void {
  app.post('/v1/completions', async (c) => {
    const fields = await readBody(c, completionFields)
    const { logprobs } = fields
    const shape: Shape = {
      id: `cmpl-${randomUUID()}`,
      object: 'text_completion',
      chunkObject: 'text_completion',
      lead: '',
      whole: (text) => ({ text }),
      piece: (text) => ({ text }),
      logprobs: completionLogprobs,
    }
    checkModel(fields.model, lm.name)
    const encode = promptIdsOf(fields.prompt, fields, lm, c.req.raw.signal)
    return answer(c, lm, shape, {
      prompts: await encode,
      fields,
      stops: [],
      logprobs: logprobs === false ? undefined : logprobs,
    })
  })
  app.post('/v1/chat/completions', async (c) => {
    const fields = await readBody(c, chatFields)
    const { logprobs, top_logprobs } = fields
    const messages = dialogueOf(fields)
    if (messages.at(-1)?.role === 'assistant') {
      throw badRequest(
        'the last message is the assistant’s; the dialogue has to end where it is to speak',
        'messages',
      )
    }
    if (top_logprobs !== undefined && top_logprobs > 0 && !logprobs) {
      throw badRequest('top_logprobs needs logprobs: true', 'top_logprobs')
    }
    checkModel(fields.model, lm.name)
    requireWritten(messages, lm.template)
    const prompts = await encoded([messages], fields, lm, c.req.raw.signal)
    const shape: Shape = {
      id: `chatcmpl-${randomUUID()}`,
      object: 'chat.completion',
      chunkObject: 'chat.completion.chunk',
      lead: /^\s*/.exec(lm.template.answer('x', messages))?.[0] ?? '',
      whole: (content) => ({ message: { role: 'assistant', content, refusal: null } }),
      opening: { delta: { role: 'assistant', content: '' } },
      piece: (content) => ({ delta: content === '' ? {} : { content } }),
      logprobs: chatLogprobs,
    }
    const stops = [...lm.template.stops, ...lm.stops]
    return answer(c, lm, shape, {
      prompts,
      fields,
      stops,
      logprobs: logprobs ? (top_logprobs ?? 0) : undefined,
    })
  })
}

/** @throws ApiError 400 for calls, tools or reasoning that the template leaves out: the model would not see them */
function requireWritten(messages: readonly Message[], template: ChatTemplate): void {
  const lost = leftOut({ prompt: messages, candidates: [] }, template)
  if (lost) throw badRequest(`the chat template (${template.name}) leaves out ${lost}`, 'messages')
}

/** Texts are literal, token ids are taken as they are. */
async function promptIdsOf(
  prompts: string[] | number[][],
  fields: SamplingFields,
  lm: ServedLanguageModel,
  signal: AbortSignal,
): Promise<Encoded[]> {
  if (typeof prompts[0] === 'string') return encoded(prompts as string[], fields, lm, signal)
  const ids = prompts as number[][]
  const { vocabSize } = lm.tokenizer
  for (const promptIds of ids) {
    const strange = promptIds.find((id) => id >= vocabSize)
    if (strange !== undefined) throw badRequest(`the vocabulary has no token ${strange}`, 'prompt')
  }
  requireCount(ids.length * samplesOf(fields, lm.defaults), lm.maxQueue)
  return ids.map((promptIds) => ({ promptIds }))
}

/** No prompt is cut: one that is too long is refused. */
async function encoded(
  prompts: Parameters<typeof encodeAll>[0],
  fields: SamplingFields,
  lm: ServedLanguageModel,
  signal: AbortSignal,
): Promise<Encoded[]> {
  requireCount(prompts.length * samplesOf(fields, lm.defaults), lm.maxQueue)
  const fits = (tokens: number) => requireRoom(tokens, fields, lm.contextLength)
  const all = await encodeAll(prompts, lm, { signal, fits })
  return all.map((promptIds) => ({ promptIds }))
}

interface Asked {
  prompts: readonly Encoded[]
  fields: SamplingFields
  stops: readonly string[]
  /** Likeliest tokens to name beside each one; undefined where nothing is asked. */
  logprobs?: number
}

async function answer(
  c: Context,
  lm: ServedLanguageModel,
  shape: Shape,
  { prompts, fields, stops, logprobs }: Asked,
): Promise<Response> {
  const { contextLength } = lm
  const requests = engineRequests(prompts, fields, lm.defaults, { contextLength, stops, logprobs })
  const promptTokens = prompts.reduce((sum, { promptIds }) => sum + promptIds.length, 0)
  const head = { id: shape.id, created: Math.floor(Date.now() / 1000), model: lm.name }
  const { include_usage = false, include_obfuscation = false } = fields.stream_options ?? {}
  if (fields.stream) {
    return streamed(c, lm, shape, requests, { head, promptTokens, include_usage, include_obfuscation })
  }
  const answers = await Promise.all(lm.engine.submit(requests, c.req.raw.signal))
  const choices = answers.map(async ({ text, finishReason, logprobs: tokens }, index) => {
    const cutter = leadCutter(shape.lead)
    return {
      index,
      ...shape.whole(cutter.take(text) + cutter.rest()),
      logprobs: tokens ? await shape.logprobs(tokens, lm.tokenizer, 0) : null,
      finish_reason: finishReason,
    }
  })
  return c.json({
    ...head,
    object: shape.object,
    choices: await Promise.all(choices),
    usage: usageOf(promptTokens, answers),
  })
}

interface StreamOptions {
  head: object
  promptTokens: number
  include_usage: boolean
  include_obfuscation: boolean
}

function streamed(
  c: Context,
  lm: ServedLanguageModel,
  shape: Shape,
  requests: readonly EngineRequest[],
  { head, promptTokens, include_usage, include_obfuscation }: StreamOptions,
): Response {
  const events = eventQueue<() => Promise<object>>()
  const send = (rest: object) => events.push(async () => ({ ...head, object: shape.chunkObject, ...rest }))
  const choice = choiceSender(lm, shape, (rest) =>
    events.push(async () => ({ ...head, object: shape.chunkObject, ...(await rest()) })),
  )
  const cutters = requests.map(() => leadCutter(shape.lead))
  const watched = requests.map((request, i) => ({
    ...request,
    text(piece: string, logprobs?: readonly TokenLogprob[]) {
      const shown = cutters[i].take(piece)
      if (shown !== '') choice(i, shown, logprobs)
    },
  }))
  const { opening } = shape
  const answers = lm.engine.submit(watched, c.req.raw.signal)
  if (opening) {
    for (const index of requests.keys()) {
      send({ choices: [{ index, ...opening, logprobs: null, finish_reason: null }] })
    }
  }
  const finished = answers.map(async (promise, i) => {
    const { finishReason, logprobs } = await promise
    choice(i, cutters[i].rest(), logprobs, finishReason)
    return promise
  })
  void Promise.all(finished)
    .then((all) => {
      if (include_usage) send({ choices: [], usage: usageOf(promptTokens, all) })
    })
    .catch((error: unknown) => events.push(async () => errorBody(asApiError(error))))
    .finally(() => events.end())
  return streamSSE(c, async (stream) => {
    for await (const event of events) {
      const data = JSON.stringify(await event())
      await stream.writeSSE({ data: include_obfuscation ? obfuscated(data) : data })
    }
    await stream.writeSSE({ data: '[DONE]' })
  })
}

/** Chunks of the choices of one request: each with the log-probabilities of the tokens since its last one. */
function choiceSender(
  { tokenizer }: ServedLanguageModel,
  shape: Shape,
  push: (rest: () => Promise<object>) => void,
) {
  const told = new Map<number, { tokens: number; characters: number }>()
  return (
    index: number,
    piece: string,
    tokens?: readonly TokenLogprob[],
    finish_reason: string | null = null,
  ) => {
    const before = told.get(index) ?? { tokens: 0, characters: 0 }
    const fresh = tokens?.slice(before.tokens)
    told.set(index, {
      tokens: tokens?.length ?? 0,
      characters: before.characters + piece.length,
    })
    push(async () => {
      const logprobs = fresh?.length ? await shape.logprobs(fresh, tokenizer, before.characters) : null
      return { choices: [{ index, ...shape.piece(piece), logprobs, finish_reason }] }
    })
  }
}

/** Padding that hides how long a chunk's text is from those who see only the sizes of packets. */
function obfuscated(data: string): string {
  const pad = 64 - (Buffer.byteLength(data) % 64)
  return `${data.slice(0, -1)},"obfuscation":"${randomBytes(pad).toString('base64url').slice(0, pad)}"}`
}

function usageOf(promptTokens: number, answers: readonly GeneratedAnswer[]) {
  const made = answers.reduce((sum, { ids }) => sum + ids.length, 0)
  return { prompt_tokens: promptTokens, completion_tokens: made, total_tokens: promptTokens + made }
}

/** @throws ApiError 404 when a request names another model than the one that is served */
export function checkModel(asked: string | undefined, served: string): void {
  if (asked === undefined || asked === served) return
  throw new ApiError(404, `no model "${named(asked)}" here; this server has "${served}"`, {
    param: 'model',
    code: 'model_not_found',
  })
}
