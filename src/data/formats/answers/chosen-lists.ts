/** Answers that stand as `chosen` and `rejected` in other ways than TRL's: several of each, or text after messages. */
import type { Candidate, Preference } from '../../example.js'
import { columnOf, type DataFormat, hasShape, isAbsent, isMissing, type RawRow } from '../format.js'
import { pairCandidates, readAnswer, readNumber } from '../messages.js'
import { PROMPT_COLUMNS, promptColumn, promptOf } from '../prompt-columns.js'

/** Texts, or lists of one message each; one text alone counts as a list. */
function severalOf(value: unknown): unknown[] | undefined {
  if (hasShape(value, 'strings')) return value as string[]
  const lists = Array.isArray(value) && value.length > 0 && value.every((item) => hasShape(item, 'messages'))
  return lists ? (value as unknown[]) : undefined
}

const SIDES = ['chosen', 'rejected'] as const

/** Every chosen answer is better than every rejected one; nothing is said within the two. */
export const chosenListsFormat: DataFormat = {
  name: 'chosen_lists',
  needs: { [PROMPT_COLUMNS]: 'string or messages', chosen: 'strings or messages', rejected: 'strings' },
  detect: (row) =>
    promptColumn(row) !== undefined &&
    SIDES.some((side) => severalOf(row[side]) !== undefined) &&
    SIDES.every((side) => severalOf(row[side]) ?? hasShape(row[side], 'message or string')),
  toExample(row, { splitter, rewardColumn = 'score' }) {
    const sides = SIDES.map((side) => readSide(row, side, rewardColumn))
    const [chosen, rejected] = sides
    const preferences: Preference[] = chosen.flatMap((_, better) =>
      rejected.map((_, i) => ({ better, worse: chosen.length + i })),
    )
    return { prompt: promptOf(row, splitter), candidates: sides.flat(), preferences }
  },
}

function readSide(row: RawRow, side: string, rewardColumn: string): Candidate[] {
  const items = severalOf(row[side]) ?? [row[side]]
  const beside = row[`${rewardColumn}_${side}`]
  return items.map((item, i) => {
    const at = items.length > 1 ? `${side}[${i}]` : side
    const candidate: Candidate = {
      ...(typeof item === 'string' ? { text: item } : readAnswer(item, at)),
      origin: side,
    }
    const reward = Array.isArray(beside) ? beside[i] : items.length === 1 ? beside : undefined
    if (!isMissing(reward)) candidate.reward = readNumber(reward, `${rewardColumn}_${side}`)
    return candidate
  })
}

const DIALOGUES = 'conversations|messages|conversation|prompt|context|history|question|input|query'

/** Messages and two answers, of which one at least is plain text. */
export const dialogueAnswersFormat: DataFormat = {
  name: 'dialogue_answers',
  needs: { [DIALOGUES]: 'messages', chosen: 'message or string', rejected: 'message or string' },
  detect: (row) =>
    columnOf(row, DIALOGUES, 'messages') !== undefined &&
    SIDES.every((side) => hasShape(row[side], 'message or string')),
  toExample(row, { splitter, rewardColumn }) {
    const [chosen, rejected] = SIDES.map((side) => {
      const value = row[side]
      return typeof value === 'string' ? value : readAnswer(value, side)
    })
    const column = columnOf(row, DIALOGUES, 'messages') as string
    // Another column may hold the first question as text.
    const asked = isAbsent(row, column) ? row : { system: row.system, [column]: row[column] }
    return { prompt: promptOf(asked, splitter), ...pairCandidates(chosen, rejected, row, rewardColumn) }
  },
}
