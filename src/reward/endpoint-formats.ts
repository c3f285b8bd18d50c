/** What reward servers expect and give back: vLLM, Text Embeddings Inference, plain JSON, and chat models. */
import { z } from 'zod'
import type { Message, Prompt } from '../dialogue.js'
import { HttpFailure } from '../http/post-json.js'
import { readResponse } from '../http/read-response.js'
import { amount } from '../show/units.js'
import { gradeOf, gradingMessages } from './grade.js'

export const ENDPOINT_TYPES = [
  'vllm_score',
  'vllm_classify',
  'vllm_pooling',
  'tei_predict',
  'json',
  'openai_chat',
] as const
export type EndpointType = (typeof ENDPOINT_TYPES)[number]

/** A prompt and some of its answers: what one request scores. */
export interface Asked {
  prompt: Prompt
  answers: readonly string[]
}

export interface FormatSettings {
  model?: string
  rubric?: string
}

export interface EndpointFormat {
  /** Its usual path, for an address without one. */
  path: string
  /** Most answers of one request. */
  answers(prompt: Prompt): number
  /** @param failed a chat model's reply that held no score */
  body(asked: Asked, settings: FormatSettings, failed?: string): object
  /** One reward per answer. @throws HttpFailure for another shape */
  rewards(response: unknown, count: number): number[]
}

const MANY = 64
/** Raw rewards, not their sigmoid; older servers know the second name. */
const RAW = { use_activation: false, activation: false }

const scored = z.object({ data: z.array(z.object({ index: z.int(), score: z.number() })) })
const classified = z.object({
  data: z.array(z.object({ index: z.int(), probs: z.array(z.number()).length(1, 'not one class') })),
})
const pooledValue = z.union([
  z.number(),
  z.array(z.number()).min(1),
  z.array(z.array(z.number()).length(1)).min(1),
])
const pooled = z.object({ data: z.array(z.object({ index: z.int(), data: pooledValue })) })
const prediction = z.array(z.object({ score: z.number() })).length(1, 'not one class')
const plain = z.object({ rewards: z.array(z.number()) })
const chat = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
})

/** Classifiers read one text: a dialogue goes in as messages, one a request, and the server's own template writes it. */
const oneText: Pick<EndpointFormat, 'answers' | 'body'> = {
  answers: (prompt) => (typeof prompt === 'string' ? MANY : 1),
  body({ prompt, answers }, { model }) {
    if (typeof prompt === 'string') return { model, input: answers.map((text) => prompt + text), ...RAW }
    const answer: Message = { role: 'assistant', content: answers[0] }
    return { model, messages: [...messagesOf(prompt), answer], add_generation_prompt: false, ...RAW }
  },
}

export const FORMATS: Record<EndpointType, EndpointFormat> = {
  vllm_score: {
    path: '/score',
    answers: () => MANY,
    body: ({ prompt, answers }, { model }) => ({
      model,
      text_1: markedText(prompt),
      text_2: answers,
      ...RAW,
    }),
    rewards: (response, count) =>
      inOrder(readResponse(scored, response).data, count).map(({ score }) => score),
  },
  vllm_classify: {
    path: '/classify',
    ...oneText,
    rewards: (response, count) =>
      inOrder(readResponse(classified, response).data, count).map(({ probs }) => probs[0]),
  },
  vllm_pooling: {
    path: '/pooling',
    ...oneText,
    rewards: (response, count) =>
      inOrder(readResponse(pooled, response).data, count).map(({ data }) => lastNumber(data)),
  },
  tei_predict: {
    path: '/predict',
    answers: () => 32,
    body: ({ prompt, answers }) => ({
      inputs: answers.map((text) => [markedText(prompt), text]),
      raw_scores: true,
    }),
    rewards: (response, count) =>
      counted(readResponse(z.array(prediction), response), count).map(([{ score }]) => score),
  },
  json: {
    path: '/rewards',
    answers: () => MANY,
    body: ({ prompt, answers }, { model }) => ({
      model,
      prompt: typeof prompt === 'string' ? prompt : messagesOf(prompt),
      answers,
    }),
    rewards: (response, count) => [...counted(readResponse(plain, response).rewards, count)],
  },
  openai_chat: {
    path: '/v1/chat/completions',
    answers: () => 1,
    body: ({ prompt, answers }, { model, rubric }, failed) => ({
      model,
      messages: gradingMessages(rubric, prompt, answers[0], failed),
      temperature: 0,
      max_tokens: 1024,
    }),
    rewards: (response) => [gradeOf(readResponse(chat, response).choices[0].message.content ?? '')],
  },
}

/** The first text of a pair: what the user said, or several turns with the markers of HH-RLHF. */
function markedText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt
  if (prompt.length === 1 && prompt[0].role === 'user') return prompt[0].content
  const names = { user: 'Human: ', assistant: 'Assistant: ', system: '', tool: 'Tool: ' }
  return prompt.map(({ role, content }) => names[role] + content).join('\n\n')
}

/** Role and content alone, whatever else a row had. */
const messagesOf = (prompt: readonly Message[]): Message[] =>
  prompt.map(({ role, content }) => ({ role, content }))

/** A reward model that pools nothing gives a number per token; the last one is the reward. */
function lastNumber(data: z.output<typeof pooledValue>): number {
  const last = typeof data === 'number' ? data : data[data.length - 1]
  return typeof last === 'number' ? last : last[0]
}

function counted<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length === count) return items
  throw new HttpFailure(`${amount(items.length, 'reward')} came back for ${amount(count, 'answer')}`)
}

/** By their own index, whatever order they came in. */
function inOrder<T extends { index: number }>(items: readonly T[], count: number): readonly T[] {
  const sorted = counted(items, count).toSorted((a, b) => a.index - b.index)
  if (sorted.every(({ index }, i) => index === i)) return sorted
  throw new HttpFailure(`the rewards are numbered ${items.map(({ index }) => index).join(', ')}`)
}

const usage = z.object({
  usage: z.object({
    total_tokens: z.number().optional(),
    prompt_tokens: z.number().optional(),
    completion_tokens: z.number().optional(),
  }),
})

/** Tokens that the server says it used; 0 where it says nothing. */
export function usedTokens(response: unknown): number {
  const { data } = usage.safeParse(response)
  if (!data) return 0
  const { total_tokens, prompt_tokens = 0, completion_tokens = 0 } = data.usage
  return total_tokens ?? prompt_tokens + completion_tokens
}
