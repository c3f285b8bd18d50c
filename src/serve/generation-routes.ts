/** `/v1/completions` and `/v1/chat/completions`, whole or as a stream of events. */
import { randomUUID } from 'node:crypto'
import type { Context, Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { encodePrompts } from '../data/encode/encode.js'
import type { Prompt } from '../dialogue.js'
import type { GeneratedAnswer } from '../generate/requests.js'
import type { ChatTemplate } from '../text/template.js'
import type { TextTokenizer } from '../text/tokenizer.js'
import { ApiError, asApiError, badRequest, errorBody } from './api-error.js'
import { type DecodingDefaults, type Encoded, engineRequests } from './decoding.js'
import type { Engine, EngineRequest } from './engine.js'
import { eventQueue } from './event-queue.js'
import { leadCutter } from './lead-cutter.js'
import { chatFields, completionFields, readBody, type SamplingFields } from './request-fields.js'

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
}

export function generationRoutes(app: Hono, lm: ServedLanguageModel): void {
  app.post('/v1/completions', async (c) => {
    const fields = await readBody(c.req, completionFields)
    const prompts = await promptIdsOf(fields.prompt, lm)
    const shape: Shape = {
      id: `cmpl-${randomUUID()}`,
      object: 'text_completion',
      chunkObject: 'text_completion',
      lead: '',
      whole: (text) => ({ text }),
      piece: (text) => ({ text }),
    }
    return answer(c, lm, shape, { prompts, fields, stops: [] })
  })
  app.post('/v1/chat/completions', async (c) => {
    const fields = await readBody(c.req, chatFields)
    const { messages } = fields
    if (messages.at(-1)?.role === 'assistant') {
      throw badRequest(
        'the last message is the assistant’s; the dialogue has to end where it is to speak',
        'messages',
      )
    }
    const prompts = await encoded([messages], lm)
    const shape: Shape = {
      id: `chatcmpl-${randomUUID()}`,
      object: 'chat.completion',
      chunkObject: 'chat.completion.chunk',
      lead: /^\s*/.exec(lm.template.answer('x', messages))?.[0] ?? '',
      whole: (content) => ({ message: { role: 'assistant', content } }),
      opening: { delta: { role: 'assistant', content: '' } },
      piece: (content) => ({ delta: content === '' ? {} : { content } }),
    }
    return answer(c, lm, shape, { prompts, fields, stops: [...lm.template.stops, ...lm.stops] })
  })
}

/** Texts are literal, token ids are taken as they are. */
async function promptIdsOf(
  prompt: string | string[] | number[] | number[][],
  lm: ServedLanguageModel,
): Promise<Encoded[]> {
  const list = typeof prompt === 'string' || typeof prompt[0] === 'number' ? [prompt] : prompt
  if (list.every((item) => typeof item === 'string')) return encoded(list as string[], lm)
  const ids = list as number[][]
  const { vocabSize } = lm.tokenizer
  const strange = ids.flat().find((id) => id >= vocabSize)
  if (strange !== undefined) throw badRequest(`the vocabulary has no token ${strange}`, 'prompt')
  return ids.map((promptIds) => ({ promptIds }))
}

/** No prompt is cut: one that is too long is refused. */
async function encoded(prompts: readonly Prompt[], lm: ServedLanguageModel): Promise<Encoded[]> {
  const { ids } = await encodePrompts(prompts, lm.tokenizer, lm.template, {
    maxPromptLength: Number.MAX_SAFE_INTEGER,
  })
  return ids.map((promptIds) => ({ promptIds }))
}

interface Asked {
  prompts: readonly Encoded[]
  fields: SamplingFields
  stops: readonly string[]
}

async function answer(
  c: Context,
  lm: ServedLanguageModel,
  shape: Shape,
  { prompts, fields, stops }: Asked,
): Promise<Response> {
  checkModel(fields.model, lm.name)
  const requests = engineRequests(prompts, fields, lm.defaults, { contextLength: lm.contextLength, stops })
  const promptTokens = prompts.reduce((sum, { promptIds }) => sum + promptIds.length, 0)
  const head = { id: shape.id, created: Math.floor(Date.now() / 1000), model: lm.name }
  const withUsage = fields.stream_options?.include_usage === true
  if (fields.stream) return streamed(c, lm, shape, requests, { head, promptTokens, withUsage })
  const answers = await Promise.all(lm.engine.submit(requests, c.req.raw.signal))
  const choices = answers.map(({ text, finishReason }, index) => {
    const cutter = leadCutter(shape.lead)
    return {
      index,
      ...shape.whole(cutter.take(text) + cutter.rest()),
      logprobs: null,
      finish_reason: finishReason,
    }
  })
  return c.json({ ...head, object: shape.object, choices, usage: usageOf(promptTokens, answers) })
}

function streamed(
  c: Context,
  { engine }: ServedLanguageModel,
  shape: Shape,
  requests: readonly EngineRequest[],
  { head, promptTokens, withUsage }: { head: object; promptTokens: number; withUsage: boolean },
): Response {
  const events = eventQueue<object>()
  const send = (rest: object) => events.push({ ...head, object: shape.chunkObject, ...rest })
  const choice = (index: number, part: object, finish_reason: string | null = null) =>
    send({ choices: [{ index, ...part, logprobs: null, finish_reason }] })
  const cutters = requests.map(() => leadCutter(shape.lead))
  const watched = requests.map((request, i) => ({
    ...request,
    text(piece: string) {
      const shown = cutters[i].take(piece)
      if (shown !== '') choice(i, shape.piece(shown))
    },
  }))
  const { opening } = shape
  const answers = engine.submit(watched, c.req.raw.signal)
  if (opening) for (const i of requests.keys()) choice(i, opening)
  const finished = answers.map(async (promise, i) => {
    const { finishReason } = await promise
    choice(i, shape.piece(cutters[i].rest()), finishReason)
    return promise
  })
  void Promise.all(finished)
    .then((all) => {
      if (withUsage) send({ choices: [], usage: usageOf(promptTokens, all) })
    })
    .catch((error: unknown) => events.push(errorBody(asApiError(error))))
    .finally(() => events.end())
  return streamSSE(c, async (stream) => {
    for await (const event of events) await stream.writeSSE({ data: JSON.stringify(event) })
    await stream.writeSSE({ data: '[DONE]' })
  })
}

function usageOf(promptTokens: number, answers: readonly GeneratedAnswer[]) {
  const made = answers.reduce((sum, { ids }) => sum + ids.length, 0)
  return { prompt_tokens: promptTokens, completion_tokens: made, total_tokens: promptTokens + made }
}

/** @throws ApiError 404 when a request names another model than the one that is served */
export function checkModel(asked: string | undefined, served: string): void {
  if (asked === undefined || asked === served) return
  throw new ApiError(404, `no model "${asked}" here; this server has "${served}"`, {
    param: 'model',
    code: 'model_not_found',
  })
}
