/** One reward model for many requests: those that wait are scored together. */
import { encodeExamples, encodePrompts } from '../data/encode/encode.js'
import type { EncodedExample } from '../data/encode/encoded.js'
import type { Prompt } from '../dialogue.js'
import type { ChatTemplate } from '../text/template.js'
import type { TextTokenizer } from '../text/tokenizer.js'
import { ApiError, badRequest, busy } from './api-error.js'

/** Answers to a prompt, or one text that is scored as it stands. */
export type ToScore = { prompt: Prompt; answers: readonly string[] } | { text: string }

export interface ScoredLists {
  /** Raw rewards per list. */
  rewards: number[][]
  tokens: number
}

export interface Scorer {
  /** @throws ApiError 429 when too many requests wait, 400 for what does not fit the model */
  score(lists: readonly ToScore[]): Promise<ScoredLists>
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
  encoded: EncodedExample[]
  resolve(rewards: number[][]): void
  reject(error: unknown): void
}

export function createScorer(options: ScorerOptions): Scorer {
  let waiting: Job[] = []
  let looping = false
  const loop = async () => {
    looping = true
    while (waiting.length > 0) {
      const jobs = waiting
      waiting = []
      try {
        const rewards = await options.rewards(jobs.flatMap(({ encoded }) => encoded))
        let at = 0
        for (const { encoded, resolve } of jobs) {
          resolve(rewards.slice(at, at + encoded.length))
          at += encoded.length
        }
      } catch (error) {
        for (const { reject } of jobs) reject(error)
      }
    }
    looping = false
  }
  return {
    promptOf: (text) => (options.template.name === 'plain' ? text : [{ role: 'user', content: text }]),
    async score(lists) {
      const encoded = await Promise.all(lists.map((list) => encode(list, options)))
      if (waiting.length >= options.maxQueue) throw busy()
      const rewards = new Promise<number[][]>((resolve, reject) => {
        waiting.push({ encoded, resolve, reject })
      })
      if (!looping) void loop()
      return { rewards: await rewards, tokens: encoded.reduce((sum, e) => sum + tokensOf(e), 0) }
    },
  }
}

const tokensOf = ({ promptIds, answers }: EncodedExample): number =>
  promptIds.length + answers.reduce((sum, { ids }) => sum + ids.length, 0)

async function encode(
  list: ToScore,
  { tokenizer, template, contextLength }: ScorerOptions,
): Promise<EncodedExample> {
  if ('text' in list) return encodeText(list.text, tokenizer, template, contextLength)
  const { prompt, answers } = list
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
