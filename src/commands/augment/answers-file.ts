/** Answers from a file: prompts and what some model said to them, matched to the data by the prompt. */

import { basename } from 'node:path'
import { z } from 'zod'
import type { Example } from '../../data/example.js'
import { messageFields } from '../../data/message-schema.js'
import { listFiles } from '../../data/read/read-files.js'
import type { Prompt } from '../../dialogue.js'
import { promptKey } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import type { SampledAnswer } from '../../stations/sample/answer-store.js'
import { ANSWERS, answerValues, keyIn, PROMPTS } from '../../stations/systems/read-answers.js'

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
 * Reads a file of answers as `readAnswers` does, in every container and with the same names; a row may have several
 * (`answers`, `completions`), with `models` and `rewards` beside them, and rows of one prompt add up.
 * @throws ClhaError (exit 2) with file and row for anything else
 */
export async function readAnswersFile(path: string, examples: readonly Example[]): Promise<AnswersFile> {
  const byPrompt = new Map<string, SampledAnswer[]>()
  const known = new Set(examples.map(({ prompt }) => promptKey(prompt)))
  const unmatched = new Set<string>()
  for (const file of await listFiles(path)) {
    for await (const { value, where } of answerValues(file)) {
      const { prompt, answers } = parse(value, where, basename(file))
      const keys = keysOf(prompt)
      const key = keys.find((k) => known.has(k))
      if (key === undefined) unmatched.add(keys[0])
      else byPrompt.set(key, [...(byPrompt.get(key) ?? []), ...answers])
    }
  }
  return { answers: examples.map((e) => byPrompt.get(promptKey(e.prompt)) ?? []), unmatched: unmatched.size }
}

/** A text may be literal text or what a user says. */
const keysOf = (prompt: Prompt): string[] => [
  promptKey(prompt),
  ...(typeof prompt === 'string' ? [promptKey([{ role: 'user', content: prompt }])] : []),
]

function parse(
  row: Record<string, unknown>,
  at: string,
  file: string,
): { prompt: Prompt; answers: SampledAnswer[] } {
  // Files with one set of columns leave null what a row has not.
  const told = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))
  const [asked, said] = [PROMPTS, ANSWERS].map((names) => keyIn(row, names))
  const { data, error } = schema.safeParse({
    ...told,
    prompt: asked && row[asked],
    answer: said && row[said],
  })
  if (!data) {
    const [{ path, message }] = error.issues
    throw usageError(`${at}: ${path.join('.')}: ${message}`, HINT)
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
  // An empty cell of a table names none.
  const model = data.models || data.model || file
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
