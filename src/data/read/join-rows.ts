/** HelpSteer's files have a row an answer: neighbours with one prompt are a list. */
import type { Message } from '../../dialogue.js'
import { isObject } from '../../files/json.js'
import type { RawRow } from '../formats/format.js'
import type { Piece } from './read-lines.js'
import { parseRowJson } from './strict-row.js'

interface AnswerRow extends RawRow {
  prompt: string
  response: string
}

/** Of all that annotators judged, what says best which answer they prefer. */
const USUAL_SCORE = 'helpfulness'

/**
 * Rows of a prompt, a response and scores as lists, each in the place of its first row; other files as they are.
 * @param score the column by which answers are ranked and rewarded
 */
export async function* joinAnswerRows(
  pieces: AsyncIterable<Piece>,
  score: string = USUAL_SCORE,
): AsyncGenerator<Piece> {
  let joins: boolean | undefined
  let held: { piece: Piece; rows: AnswerRow[] } | undefined
  for await (const piece of pieces) {
    const row = joins === false ? undefined : answerRow(piece, score)
    joins ??= row !== undefined
    if (row !== undefined && row.prompt === held?.rows[0].prompt) {
      held.rows.push(row)
      continue
    }
    if (held) yield joined(held, score)
    held = row && { piece, rows: [row] }
    if (row === undefined) yield piece
  }
  if (held) yield joined(held, score)
}

/** A row that is none, broken ones included, is told of by whoever reads it. */
function answerRow(piece: Piece, score: string): AnswerRow | undefined {
  try {
    const value: unknown =
      'value' in piece ? piece.value : 'bytes' in piece && !piece.tooLong ? parseRowJson(piece) : undefined
    if (!isObject(value) || typeof value.prompt !== 'string' || typeof value.response !== 'string') return
    return typeof value[score] === 'number' && USUAL_SCORE in value ? (value as AnswerRow) : undefined
  } catch {
    return undefined
  }
}

function joined({ piece, rows }: { piece: Piece; rows: AnswerRow[] }, score: string): Piece {
  const [{ prompt, response: _, [score]: __, ...first }] = rows
  const scores = rows.map((row) => row[score] as number)
  const { row, line } = piece
  return {
    row,
    ...(line !== undefined && { line }),
    value: {
      ...first,
      prompt: turnsOf(prompt),
      completions: rows.map(({ response }) => response),
      [score]: scores,
      rewards: scores,
      // The lowest rank is the best; equal scores say nothing.
      ranks: scores.map((value) => -value),
    },
  }
}

/** The user's first turn, and later ones behind their marks. */
function turnsOf(prompt: string): Message[] {
  const [first, ...rest] = prompt.split(/\s*<extra_id_1>(User|Assistant)\n/)
  const turns: Message[] = [{ role: 'user', content: first }]
  for (let i = 0; i + 1 < rest.length; i += 2)
    turns.push({ role: rest[i] === 'User' ? 'user' : 'assistant', content: rest[i + 1] })
  return turns
}
