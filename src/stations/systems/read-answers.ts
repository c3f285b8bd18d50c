/** One system's answers from a file: a prompt and what was said to it, a row each. */
import { z } from 'zod'
import { messageFields } from '../../data/message-schema.js'
import { withParsedText } from '../../data/read/json-text.js'
import { readPieces } from '../../data/read/read-files.js'
import { RowFault } from '../../data/read/row-fault.js'
import { parseRowJson } from '../../data/read/strict-row.js'
import { type Prompt, promptKey } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { isObject } from '../../files/json.js'

export interface AnswerRow {
  prompt: Prompt
  text: string
  id?: string
  source?: string
  /** As `clha generate` counted them, and how the answer ended. */
  tokens?: number
  finishReason?: 'stop' | 'length'
  row: number
}

export interface AnswersOfFile {
  /** By `questionKey`, in the order of the file. */
  rows: ReadonlyMap<string, AnswerRow>
  /** Rows that say the same as an earlier one. */
  repeated: number
}

const message = z.object(messageFields)
const prompt = z.union([z.string().min(1), z.array(message).min(1)])
const name = z.union([z.string().min(1), z.int(), z.bigint()]).transform(String)

/** The names that files of answers have for the same thing; the first is that of `clha generate`. */
export const PROMPTS = ['prompt', 'messages', 'instruction', 'question'] as const
export const ANSWERS = ['answer', 'response', 'output', 'completion'] as const
const IDS = ['id', 'question_id'] as const
const SOURCES = ['source', 'subset', 'category', 'dataset'] as const

/** What makes two questions the same: a lone text is what a user says. */
export const questionKey = (asked: Prompt): string =>
  promptKey(typeof asked === 'string' ? [{ role: 'user', content: asked }] : asked)

/**
 * Reads JSON Lines, JSON, CSV or Parquet (also .gz and .zst).
 * @throws ClhaError (exit 2) with file and row: no prompt, no answer, or two different answers to one prompt
 */
export async function readAnswers(file: string): Promise<AnswersOfFile> {
  const rows = new Map<string, AnswerRow>()
  let repeated = 0
  for await (const { value, row: number, where } of answerValues(file)) {
    const row = answerRow(value, number, where)
    const key = questionKey(row.prompt)
    const earlier = rows.get(key)
    if (earlier === undefined) rows.set(key, row)
    else if (earlier.text === row.text) repeated++
    else throw usageError(`${where}: another answer to the prompt of row ${earlier.row}`, ONE)
  }
  return { rows, repeated }
}

const ONE = 'A system gives one answer to each prompt here: put further ones into a file of their own.'
const LINE = 'A row is such as {"prompt": "…", "answer": "…"}, as `clha generate --output-file` writes it.'

/** The rows of a file of answers as they stand there. @throws ClhaError (exit 2) with file and row for what is none */
export async function* answerValues(
  file: string,
): AsyncGenerator<{ value: Record<string, unknown>; row: number; where: string }> {
  for await (const piece of readPieces(file)) {
    const where = `${file}:${piece.row}`
    yield { value: rowOf(piece, where), row: piece.row, where }
  }
}

/** Which of the names a row has. */
export const keyIn = (value: Record<string, unknown>, names: readonly string[]): string | undefined =>
  names.find((one) => value[one] !== undefined && value[one] !== null)

function rowOf(
  piece: Parameters<typeof parseRowJson>[0] | { value: unknown } | { fault: RowFault },
  where: string,
) {
  try {
    if ('fault' in piece) throw piece.fault
    const value = 'value' in piece ? piece.value : parseRowJson(piece)
    if (isObject(value)) return withParsedText(value)
  } catch (error) {
    if (error instanceof RowFault) throw usageError(`${where}: ${error.message}`, LINE)
    throw error
  }
  throw usageError(`${where}: the row is no object`, LINE)
}

function answerRow(value: Record<string, unknown>, row: number, where: string): AnswerRow {
  const field = <T>(names: readonly string[], shape: z.ZodType<T>, needed: boolean): T | undefined => {
    const key = keyIn(value, names)
    if (key === undefined && needed) throw usageError(`${where}: no ${names.join(', ')}`, LINE)
    const result = shape.safeParse(key === undefined ? undefined : value[key])
    if (key === undefined || result.success) return result.data
    throw usageError(`${where}: ${key}: ${result.error.issues[0].message}`, LINE)
  }
  const asked = field(PROMPTS, prompt, true) as Prompt
  const id = field(IDS, name, false)
  const source = field(SOURCES, z.string().min(1), false)
  const { tokens, finish_reason: finishReason } = value
  return {
    prompt: asked,
    text: field(ANSWERS, z.string(), true) as string,
    ...(id !== undefined && { id }),
    ...(source !== undefined && { source }),
    ...(typeof tokens === 'number' && { tokens }),
    ...((finishReason === 'stop' || finishReason === 'length') && { finishReason }),
    row,
  }
}
