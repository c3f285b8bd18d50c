/** Answers from a server that speaks OpenAI's protocol: one request an answer, several at a time. */

import { z } from 'zod'
import type { Prompt } from '../dialogue.js'
import { sha256 } from '../files/digest.js'
import { addressName, parseChatAddress } from '../http/address.js'
import { inParallel } from '../http/parallel.js'
import { HttpFailure, postJson } from '../http/post-json.js'
import { readResponse } from '../http/read-response.js'
import { withRetries } from '../http/retry.js'

export interface GenerationEndpointOptions {
  url: string
  /** Its name on the server. */
  model: string
  /** Requests under way at a time. */
  concurrency: number
  timeoutMs: number
  retries: number
  /** First wait before a retry, milliseconds. */
  backoffMs?: number
  token?: string
}

export interface EndpointDecoding {
  temperature: number
  topK: number
  topP: number
  maxNewTokens: number
  stop: readonly string[]
}

/** One answer that is wanted. */
export interface EndpointTask {
  prompt: Prompt
  seed: number
}

export interface EndpointAnswer {
  text: string
  /** As the server counts them; undefined where it does not say. */
  tokens?: number
  finishReason: 'stop' | 'length'
}

export interface EndpointHooks {
  answer(task: number, answer: EndpointAnswer): void
  /** A request that the server refused or that failed to the end; what this throws stops everything. */
  failed(task: number, failure: HttpFailure): void
  stopRequested?(): boolean
}

export interface GenerationEndpoint extends GenerationEndpointOptions {
  /** The address for messages. */
  name: string
  /** SHA-256 of address and model; known answers are kept under it. */
  identity: string
}

/** @throws ClhaError (exit 2) for an address that can't be used */
export function openGenerationEndpoint(options: GenerationEndpointOptions): GenerationEndpoint {
  const address = parseChatAddress(options.url, 'generation_endpoint')
  const identity = sha256(JSON.stringify([address.href, options.model]))
  return { ...options, url: address.href, name: addressName(address), identity }
}

const usage = { usage: z.object({ completion_tokens: z.number().optional() }).nullish() }
const finish = { finish_reason: z.string().nullish() }
const chat = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }), ...finish })).min(1),
  ...usage,
})
const completion = z.object({ choices: z.array(z.object({ text: z.string(), ...finish })).min(1), ...usage })

/**
 * Asks for every task's answer. Answers are handed on as they come, in any order; after a stop request those under way are
 * given up.
 */
export async function generateByEndpoint(
  endpoint: GenerationEndpoint,
  tasks: readonly EndpointTask[],
  decoding: EndpointDecoding,
  hooks: EndpointHooks,
): Promise<void> {
  const ask = async (i: number, signal: AbortSignal) => {
    const attempt = () => askOnce(endpoint, tasks[i], decoding, signal)
    const answer = await withRetries(attempt, { ...endpoint, signal }).catch((error: unknown) => {
      if (signal.aborted || !(error instanceof HttpFailure)) throw error
      hooks.failed(i, error)
      return undefined
    })
    if (answer) hooks.answer(i, answer)
  }
  await inParallel([...tasks.keys()], endpoint.concurrency, ask, hooks.stopRequested)
}

/** A dialogue is asked as a chat; literal text is continued. */
async function askOnce(
  endpoint: GenerationEndpoint,
  { prompt, seed }: EndpointTask,
  { temperature, topK, topP, maxNewTokens, stop }: EndpointDecoding,
  signal: AbortSignal,
): Promise<EndpointAnswer> {
  const literal = typeof prompt === 'string'
  const body = {
    model: endpoint.model,
    ...(literal ? { prompt } : { messages: prompt.map(({ role, content }) => ({ role, content })) }),
    temperature,
    top_p: topP,
    max_tokens: maxNewTokens,
    seed,
    // These two are left out where they say nothing: not every server knows the first, some refuse an empty second.
    ...(topK > 0 && { top_k: topK }),
    ...(stop.length > 0 && { stop }),
  }
  const url = literal ? endpoint.url.replace('/chat/completions', '/completions') : endpoint.url
  const response = await postJson(url, body, { ...endpoint, signal })
  const { text, reason, tokens } = literal ? readCompletion(response) : readChat(response)
  return { text, tokens, finishReason: reason === 'length' ? 'length' : 'stop' }
}

function readChat(response: unknown) {
  const { choices, usage } = readResponse(chat, response)
  const [{ message, finish_reason: reason }] = choices
  return { text: message.content ?? '', reason, tokens: usage?.completion_tokens }
}

function readCompletion(response: unknown) {
  const { choices, usage } = readResponse(completion, response)
  const [{ text, finish_reason: reason }] = choices
  return { text, reason, tokens: usage?.completion_tokens }
}
