/** The prompt of a row under the names that published files give it. */
import type { Prompt } from '../../dialogue.js'
import { structuralFault } from '../read/row-fault.js'
import { alpacaPrompt } from './alpaca.js'
import { columnOf, hasShape, type RawRow, textKey } from './format.js'
import { transcriptPrompt } from './hh.js'
import { readMessages, withSystem } from './messages.js'

/** In the order in which they are looked for. `prompt` and `query` as text are literal, the others a user's turn. */
export const PROMPT_COLUMNS =
  'prompt|query|question|instruction|messages|conversations|conversation|context|history|input|post'

const LITERAL = new Set(['prompt', 'query'])

/** Text as a `prompt` column has it: literal, unless a `system` column says that it is said in a dialogue. */
export function literalPrompt(row: RawRow, column: string): Prompt {
  const text = row[column] as string
  return 'system' in row ? withSystem(row, [{ role: 'user', content: text }]) : text
}

/** Text or messages of a column, with the row's `system` in front of a dialogue. */
export const textOrTurns = (row: RawRow, column: string): Prompt =>
  typeof row[column] === 'string'
    ? literalPrompt(row, column)
    : withSystem(row, readMessages(row[column], column))

/** The name of the column that holds the prompt. */
export const promptColumn = (row: RawRow): string | undefined =>
  columnOf(row, PROMPT_COLUMNS, 'string or messages') ??
  PROMPT_COLUMNS.split('|').find((column) => questionText(row[column]) !== undefined)

/** WebGPT keeps the question in an object. */
function questionText(value: unknown): string | undefined {
  const inside = value as RawRow | undefined
  const key = typeof inside?.full_text === 'string' ? 'full_text' : textKey(value)
  return key === undefined ? undefined : (inside?.[key] as string)
}

/**
 * The prompt of a row: messages, an HH transcript that waits for the assistant, an Alpaca instruction with its input, a
 * user's turn, or literal text.
 * @throws RowFault (structural) where a row without a prompt needs one
 */
export function promptOf(row: RawRow, splitter: 'full' | 'legacy'): Prompt {
  const column = promptColumn(row)
  if (column === undefined) {
    throw structuralFault(
      'missing_field',
      `there is no prompt (looked for: ${PROMPT_COLUMNS.replaceAll('|', ', ')})`,
    )
  }
  const value = row[column]
  if (hasShape(value, 'messages')) return withSystem(row, readMessages(value, column))
  if (typeof value !== 'string') return turnOf(row, questionText(value) as string)
  const turns = transcriptPrompt(value, splitter)
  if (turns) return withSystem(row, turns)
  if (column === 'instruction') return alpacaPrompt(row)
  return LITERAL.has(column) ? literalPrompt(row, column) : turnOf(row, value)
}

const turnOf = (row: RawRow, content: string): Prompt => withSystem(row, [{ role: 'user', content }])
