/** Answers that were made elsewhere: rows with a prompt and an answer. */
import type { RawRow } from '../../data/formats/format.js'
import { promptOf } from '../../data/formats/prompt-columns.js'
import { withParsedText } from '../../data/read/json-text.js'
import { readPieces } from '../../data/read/read-files.js'
import { RowFault, structuralFault } from '../../data/read/row-fault.js'
import { parseRowJson } from '../../data/read/strict-row.js'
import { type Prompt, promptKey } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { isObject } from '../../files/json.js'

export interface FileAnswer {
  prompt: Prompt
  source: string
  text: string
  tokens?: number
  finishReason?: 'stop' | 'length'
}

export interface AnswerFile {
  /** By `promptKey`; of equal prompts the first row counts. */
  answers: Map<string, FileAnswer>
  /** Rows whose prompt an earlier one has. */
  duplicates: number
}

const COLUMNS = ['answer', 'completion', 'response', 'output', 'generation', 'text'] as const

/**
 * Rows as `clha generate` writes them, or with the answer as `completion`, `response`, `output`, `generation` or `text`;
 * a list of messages counts as its last one.
 * @throws ClhaError (exit 2) naming the first row that is none
 */
export async function readAnswerFile(path: string): Promise<AnswerFile> {
  const answers = new Map<string, FileAnswer>()
  let duplicates = 0
  for await (const piece of readPieces(path)) {
    try {
      if ('fault' in piece) throw piece.fault
      const value = 'value' in piece ? piece.value : parseRowJson(piece)
      if (!isObject(value)) throw structuralFault('not_an_object', 'the row is no object')
      const answer = answerOf(withParsedText(value))
      const key = promptKey(answer.prompt)
      if (answers.has(key)) duplicates++
      else answers.set(key, answer)
    } catch (error) {
      if (!(error instanceof RowFault)) throw error
      throw usageError(
        `${path}:${piece.row}: ${error.message}`,
        `Rows need a prompt and an answer (${COLUMNS.join(', ')}), as clha generate writes them.`,
      )
    }
  }
  return { answers, duplicates }
}

function answerOf(row: RawRow): FileAnswer {
  const column = COLUMNS.find((name) => row[name] !== undefined && row[name] !== null)
  if (column === undefined) throw structuralFault('missing_field', 'there is no answer')
  const value = row[column]
  const last: unknown = Array.isArray(value) ? value.at(-1) : undefined
  const text = isObject(last) ? last.content : value
  if (typeof text !== 'string') throw structuralFault('wrong_type', `${column} is no text`)
  const { tokens, source } = row
  const reason = row.finish_reason
  return {
    ...{ prompt: promptOf(row, 'full'), text, source: typeof source === 'string' ? source : 'answers' },
    ...(typeof tokens === 'number' && { tokens }),
    ...((reason === 'stop' || reason === 'length') && { finishReason: reason }),
  }
}
