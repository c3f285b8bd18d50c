/** One reward model for many requests: those that wait are scored together. */
import { encodeExamples, encodePrompts } from '../data/encode/encode.js'
import type { EncodedExample } from '../data/encode/encoded.js'
import { type Prompt, saidIn } from '../dialogue.js'
import type { ChatTemplate } from '../text/template.js'
import type { TextTokenizer } from '../text/tokenizer.js'
import { ApiError, badRequest, busy } from './api-error.js'
import { LONG, requireLength, requireStaying } from './encode-prompts.js'

/** Answers to a prompt, or one text that is scored as it stands. */
export type ToScore = { prompt: Prompt; answers: readonly string[] } | { text: string }

export interface ScoredLists {
  /** Raw rewards per list. */
  rewards: number[][]
  tokens: number
}

export interface Scorer {
  /**
   * @param signal gives up a request that still waits
   * @throws ApiError 429 when too many requests wait, 400 for what does not fit the model
   */
  score(lists: readonly ToScore[], signal: AbortSignal): Promise<ScoredLists>
  /** A text that stands for what a user said, as the model's template takes it. */
  promptOf(text: string): Prompt
}

export interface ScorerOptions {
  tokenizer: TextTokenizer
  template: ChatTemplate
  /** Rewards of encoded lists. */
  rewards(encoded: readonly EncodedExample[]): Promise<number[][]>
  /** Tokens of prompt and answer. */
  contextLength: number
  /** Requests that may wait. */
  maxQueue: number
}

interface Job {
  signal: AbortSignal
  encoded: EncodedExample[]
  resolve(rewards: number[][]): void
  reject(error: unknown): void
}

export function createScorer(options: ScorerOptions): Scorer {
  let waiting: Job[] = []
  let looping = false
  /** Requests that are being read. */
  let preparing = 0
  const loop = async () => {
    looping = true
    while (waiting.length > 0) {
      const jobs = waiting.filter(({ signal }) => !signal.aborted)
      waiting = []
      await answerAll(jobs, options)
    }
    looping = false
  }
  return {
    promptOf: (text) => (options.template.name === 'plain' ? text : [{ role: 'user', content: text }]),
    async score(lists, signal) {
      if (waiting.length + preparing >= options.maxQueue) throw busy()
      preparing += 1
      const encoded: EncodedExample[] = []
      const parts = lists.map(partsOf)
      try {
        for (const part of parts.flat()) encoded.push(await encode(part, options, signal))
      } finally {
        preparing -= 1
      }
      const rewards = await new Promise<number[][]>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new ApiError(503, 'the request was given up')))
        waiting.push({ signal, encoded, resolve, reject })
        if (!looping) void loop()
      })
      let at = 0
      const whole = parts.map(({ length }) => {
        at += length
        return rewards.slice(at - length, at).flat()
      })
      return { rewards: whole, tokens: encoded.reduce((sum, e) => sum + tokensOf(e), 0) }
    },
  }
}

async function answerAll(jobs: readonly Job[], options: Pick<ScorerOptions, 'rewards'>): Promise<void> {
  try {
    const rewards = await options.rewards(jobs.flatMap(({ encoded }) => encoded))
    let at = 0
    for (const { encoded, resolve } of jobs) {
      resolve(rewards.slice(at, at + encoded.length))
      at += encoded.length
    }
  } catch (error) {
    // One of them may be the cause: it ends no other.
    if (jobs.length > 1) for (const job of jobs) await answerAll([job], options)
    else for (const { reject } of jobs) reject(error)
  }
}

/** Answers to one prompt that are read at a time. */
const TOGETHER = 16

/** A long list in parts, so that the first answer that is too long ends the reading. */
function partsOf(list: ToScore): ToScore[] {
  if ('text' in list) return [list]
  const { prompt, answers } = list
  return Array.from({ length: Math.ceil(answers.length / TOGETHER) }, (_, i) => ({
    prompt,
    answers: answers.slice(i * TOGETHER, (i + 1) * TOGETHER),
  }))
}

const tokensOf = ({ promptIds, answers }: EncodedExample): number =>
  promptIds.length + answers.reduce((sum, { ids }) => sum + ids.length, 0)

async function encode(
  list: ToScore,
  { tokenizer, template, contextLength }: ScorerOptions,
  signal: AbortSignal,
): Promise<EncodedExample> {
  const reader = { tokenizer, template, contextLength }
  requireStaying(signal)
  if ('text' in list) {
    if (list.text.length > LONG) await requireLength(list.text, reader, signal)
    return encodeText(list.text, tokenizer, template, contextLength)
  }
  const { prompt, answers } = list
  for (const text of [saidIn(prompt), ...answers]) {
    if (text.length > LONG) await requireLength(text, reader, signal)
  }
  const candidates = answers.map((text) => ({ text }))
  const example = { id: 'input', prompt, candidates, preferences: [], source: '', file: 'input', row: 1 }
  const { encoded, report } = await encodeExamples([example], tokenizer, template, {
    maxLength: contextLength,
    maxPromptLength: contextLength - 1,
    truncation: 'error',
  })
  if (encoded.length === 1) return encoded[0]
  throw badRequest(report.dropped[0]?.reason ?? 'nothing to score')
}

/** The text alone: no template, and no end token that it does not bring itself. The reward is read at its last token. */
async function encodeText(
  text: string,
  tokenizer: TextTokenizer,
  template: ChatTemplate,
  contextLength: number,
): Promise<EncodedExample> {
  if (text === '') throw badRequest('an empty text has no reward', 'input')
  const { ids } = await encodePrompts([text], tokenizer, template, { maxPromptLength: contextLength })
  const [whole] = ids
  const tokens = (await tokenizer.encode(text)).ids.length
  if (tokens > contextLength) {
    throw new ApiError(400, `a text of ${tokens} tokens, the model reads ${contextLength}`, {
      param: 'input',
    })
  }
  const last = whole.length - 1
  const answer = { ids: whole.slice(last), scoredFrom: 0, truncated: false, ended: false }
  return { id: 'input', source: '', promptIds: whole.slice(0, last), answers: [answer], promptCut: 0 }
}
