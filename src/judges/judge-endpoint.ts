/** A judge behind HTTP: one request, its reply, and whether it came from the model that was asked. */
import { z } from 'zod'
import type { Message } from '../dialogue.js'
import { usageError } from '../errors.js'
import type { ResponseFormat } from '../grading/types.js'
import { addressName, parseChatAddress } from '../http/address.js'
import { HttpFailure, postJson } from '../http/post-json.js'
import { readResponse } from '../http/read-response.js'
import { MAX_RETRY_AFTER, withRetries } from '../http/retry.js'
import type { Pace } from './pace.js'

export interface JudgeOptions {
  url: string
  /** Its name on the server. */
  model: string
  /** What the server may call it in its replies, where that is another name. */
  answersAs?: string
  timeoutMs: number
  retries: number
  /** First wait before a retry, milliseconds. */
  backoffMs?: number
  token?: string
  temperature: number
  maxTokens: number
  responseFormat: ResponseFormat
  /** Fields of the request beside ours; null takes one of ours out. */
  body?: Readonly<Record<string, unknown>>
}

export interface JudgeEndpoint extends JudgeOptions {
  /** The address for messages. */
  name: string
}

/** @throws ClhaError (exit 2) for an address that can't be used */
export function openJudge(options: JudgeOptions): JudgeEndpoint {
  const address = parseChatAddress(options.url, 'judge_endpoint')
  return { ...options, url: address.href, name: addressName(address) }
}

/** The body of a request; its bytes are what a reply is known by. */
export function bodyOf(
  { model, temperature, maxTokens, responseFormat, body = {} }: JudgeOptions,
  messages: readonly Message[],
  schema?: object,
): Record<string, unknown> {
  const format = {
    none: {},
    json_object: { response_format: { type: 'json_object' } },
    json_schema: {
      response_format: { type: 'json_schema', json_schema: { name: 'verdict', strict: true, schema } },
    },
  }[responseFormat]
  const fields = { model, messages, temperature, max_tokens: maxTokens, ...format, ...body }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}

const responseShape = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish(),
})

export interface Answered {
  text: string
  finish?: string
  refusal?: string
  tokens?: { prompt: number; reply: number }
}

export interface AskHooks {
  pace: Pace
  signal?: AbortSignal
  /** Called before every attempt; what it throws ends the asking. */
  permit(): void
  /** Told of every attempt that ran into the time limit: it may have been paid for. */
  timedOut(): void
}

/**
 * Sends a request until it is answered, as often as `retries` says and no faster than `pace` allows.
 * @throws HttpFailure of the last attempt; ClhaError (exit 2) for a reply of another model
 */
export async function askJudge(
  judge: JudgeEndpoint,
  body: object,
  { pace, signal, permit, timedOut }: AskHooks,
): Promise<Answered> {
  const response = await withRetries(
    async () => {
      await pace.turn(signal).catch(() => {
        throw new HttpFailure('stopped')
      })
      permit()
      try {
        return readResponse(responseShape, await postJson(judge.url, body, { ...judge, signal }))
      } catch (error) {
        const { retryAfterMs, timedOut: late } = error instanceof HttpFailure ? error.options : {}
        // A longer rest than is ever waited for is a failure, not a pace.
        if (retryAfterMs !== undefined && retryAfterMs <= MAX_RETRY_AFTER) pace.rest(retryAfterMs)
        if (late) timedOut()
        throw error
      }
    },
    { ...judge, signal },
  )
  requireSameModel(judge, response.model)
  const [{ message, finish_reason: finish }] = response.choices
  const { prompt_tokens: prompt, completion_tokens: reply } = response.usage ?? {}
  return {
    text: message.content ?? '',
    ...(finish && { finish }),
    ...(message.refusal && { refusal: message.refusal }),
    ...(prompt !== undefined && reply !== undefined && { tokens: { prompt, reply } }),
  }
}

/** A dated version of the model that was asked is that model; so is its path on the server. */
function requireSameModel({ name, model, answersAs }: JudgeEndpoint, said: string | null | undefined): void {
  if (said === null || said === undefined || said === '') return
  const wanted = [model, answersAs ?? model].map(bare)
  const is = bare(said)
  if (wanted.some((one) => is === one || (is.startsWith(one) && VERSION.test(is.slice(one.length))))) return
  throw usageError(
    `judge_endpoint ${name}: asked for "${model}", and "${said}" answered`,
    'correct judge_model; where both are the same model, say so with judge_answers_as',
  )
}

const bare = (name: string): string => name.toLowerCase().split('/').at(-1) as string

/** What stands behind the name of a version: a date, a number, `latest`. */
const VERSION = /^-(\d{4}-?\d{2}-?\d{2}|v?\d+(\.\d+)*|latest)$/
