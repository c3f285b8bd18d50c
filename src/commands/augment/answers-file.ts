/** Answers from a file: prompts and what some model said to them, matched to the data by the prompt. */

import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Example } from '../../data/example.js'
import { messageFields } from '../../data/message-schema.js'
import type { Prompt } from '../../dialogue.js'
import { promptKey } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import type { SampledAnswer } from '../../stations/sample/answer-store.js'

const message = z.object(messageFields)
const names = z.union([z.string(), z.array(z.string())]).optional()
const schema = z
  .object({
    prompt: z.union([z.string(), z.array(message).min(1)]),
    answer: z.string().optional(),
    answers: z.array(z.string()).optional(),
    completions: z.array(z.string()).optional(),
    rewards: z.array(z.number()).optional(),
    model: names,
    models: names,
    finish_reason: z.string().optional(),
  })
  .transform((row) => ({
    ...row,
    texts: row.answers ?? row.completions ?? (row.answer === undefined ? [] : [row.answer]),
  }))

export interface AnswersFile {
  /** By example. */
  answers: SampledAnswer[][]
  /** Prompts of the file that the data does not have. */
  unmatched: number
}

/**
 * Reads JSON Lines with `prompt` (messages, or the text of the one user turn) and `answer`, `answers` or `completions`;
 * `models` and `rewards` may stand beside them. Lines of one prompt add up. The output of `clha generate` is such a file.
 * @throws ClhaError (exit 2) with file and line for anything else
 */
export async function readAnswersFile(path: string, examples: readonly Example[]): Promise<AnswersFile> {
  const byPrompt = new Map<string, SampledAnswer[]>()
  const known = new Set(examples.map(({ prompt }) => promptKey(prompt)))
  const unmatched = new Set<string>()
  let row = 0
  for await (const line of linesOf(path)) {
    row++
    if (line.trim() === '') continue
    const { prompt, answers } = parse(line, `${path}:${row}`, basename(path))
    const keys = keysOf(prompt)
    const key = keys.find((k) => known.has(k))
    if (key === undefined) unmatched.add(keys[0])
    else byPrompt.set(key, [...(byPrompt.get(key) ?? []), ...answers])
  }
  return { answers: examples.map((e) => byPrompt.get(promptKey(e.prompt)) ?? []), unmatched: unmatched.size }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path)
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (error) {
    throw usageError(`answers_file: ${path}: ${(error as Error).message}`)
  } finally {
    stream.destroy()
  }
}

/** A text may be literal text or what a user says. */
const keysOf = (prompt: Prompt): string[] => [
  promptKey(prompt),
  ...(typeof prompt === 'string' ? [promptKey([{ role: 'user', content: prompt }])] : []),
]

function parse(line: string, at: string, file: string): { prompt: Prompt; answers: SampledAnswer[] } {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw usageError(`${at}: not JSON (${(error as Error).message})`, 'answers_file is JSON Lines')
  }
  const { data, error } = schema.safeParse(value)
  if (!data) {
    const [{ path, message }] = error.issues
    throw usageError(`${at}: ${path.join('.') || 'the line'}: ${message}`, HINT)
  }
  const { prompt, texts, rewards, finish_reason: reason } = data
  if (texts.length === 0) throw usageError(`${at}: no answer, answers or completions`, HINT)
  for (const [name, list] of [
    ['rewards', rewards],
    ['models', data.models],
  ] as const) {
    if (Array.isArray(list) && list.length !== texts.length)
      throw usageError(`${at}: ${name} has ${list.length} entries for ${texts.length} answers`)
  }
  const model = data.models ?? data.model ?? file
  const answers = texts.map(
    (text, i): SampledAnswer => ({
      text,
      origin: typeof model === 'string' ? model : model[i],
      tokens: 0,
      finishReason: reason === 'length' ? 'length' : 'stop',
      ...(rewards && { reward: rewards[i] }),
    }),
  )
  return { prompt, answers }
}

const HINT = 'a line is such as {"prompt": "…", "answers": ["…"], "models": ["…"]}'
