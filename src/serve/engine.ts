/** One language model for many requests: those that wait enter the running batch between two steps. */
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { type Batch, createBatch } from '../generate/batch.js'
import type { TokenLogprob } from '../generate/logprobs.js'
import type { GeneratedAnswer, GenerateRequest, RowOptions } from '../generate/requests.js'
import type { Decoder } from '../models/decoder/decoder.js'
import type { TextTokenizer } from '../text/tokenizer.js'
import { ApiError, badRequest, busy } from './api-error.js'

export interface EngineRequest extends GenerateRequest {
  options: RowOptions
  /** New text, as it comes; `logprobs` of all tokens so far, where they were asked for. */
  text?(piece: string, logprobs?: readonly TokenLogprob[]): void
}

export interface Engine {
  /**
   * Takes in requests that belong together, or none of them. Aborting gives them up wherever they are, and so does one that
   * fails.
   * @throws ApiError 429, at once, when the queue has no room for all of them
   */
  submit(requests: readonly EngineRequest[], signal: AbortSignal): Promise<GeneratedAnswer>[]
  /** Gives up all that waits and runs. */
  abort(): void
  dispose(): void
}

export interface EngineOptions {
  /** Rows that run together. */
  slots: number
  /** Tokens of prompt and answer. */
  contextLength: number
  /** Requests that may wait. */
  maxQueue: number
}

interface Job {
  request: EngineRequest
  resolve(answer: GeneratedAnswer): void
  reject(error: unknown): void
}

const GONE = new ApiError(503, 'the request was given up')

export function createEngine(model: Decoder, tokenizer: TextTokenizer, options: EngineOptions): Engine {
  let waiting: Job[] = []
  const running = new Map<Job, { leave(): void }>()
  let batch: Batch | undefined
  let looping = false

  const enter = (job: Job, into: Batch) => {
    const { request } = job
    const done = (answer: GeneratedAnswer) => {
      running.delete(job)
      job.resolve(answer)
    }
    const failed = (error: unknown) => giveUp(job, error)
    running.set(job, into.enter(request, request.options, { text: request.text, done, failed }))
  }
  const giveUp = (job: Job, error: unknown) => {
    waiting = waiting.filter((other) => other !== job)
    running.get(job)?.leave()
    running.delete(job)
    job.reject(error)
  }
  const giveUpAll = (error: unknown) => {
    for (const job of [...waiting, ...running.keys()]) giveUp(job, error)
  }
  const loop = async () => {
    looping = true
    try {
      while (waiting.length > 0 || running.size > 0) {
        batch ??= createBatch(model, tokenizer, options.slots, options.contextLength)
        while (batch.free() > 0 && waiting.length > 0) enter(waiting.shift() as Job, batch)
        await batch.step()
        // Sockets and signals are served between steps.
        await yieldToLoop()
      }
    } catch (error) {
      giveUpAll(error)
      batch?.dispose()
      batch = undefined
    } finally {
      looping = false
    }
  }
  const start = (request: EngineRequest, signal: AbortSignal) =>
    new Promise<GeneratedAnswer>((resolve, reject) => {
      const job: Job = { request, resolve, reject }
      if (signal.aborted) return reject(GONE)
      signal.addEventListener('abort', () => giveUp(job, GONE), { once: true })
      waiting.push(job)
    })
  return {
    submit(requests, signal) {
      requireRoom(waiting.length, requests.length, options.maxQueue)
      const answers = together(requests, signal, start)
      if (!looping) void loop()
      return answers
    },
    abort: () => giveUpAll(GONE),
    dispose: () => batch?.dispose(),
  }
}

/** Nobody waits for the other answers of a request that has failed: they are given up. */
function together(
  requests: readonly EngineRequest[],
  signal: AbortSignal,
  start: (request: EngineRequest, signal: AbortSignal) => Promise<GeneratedAnswer>,
): Promise<GeneratedAnswer>[] {
  const failed = new AbortController()
  const answers = requests.map((request) => start(request, AbortSignal.any([signal, failed.signal])))
  for (const answer of answers) answer.catch(() => failed.abort())
  return answers
}

function requireRoom(waiting: number, asked: number, most: number): void {
  requireCount(asked, most)
  if (waiting + asked > most) throw busy()
}

/** Before anything is built for them. @throws ApiError 400 for more answers than may ever wait */
export function requireCount(answers: number, most: number): void {
  if (answers > most) throw badRequest(`${answers} answers at once, the queue holds ${most}`, 'n')
}
