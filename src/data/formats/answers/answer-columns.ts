/** Two or more answers in columns of their own (`response_a`, `response_b`; `answer_1`, `answer_2`) and which is better. */
import { structuralFault } from '../../read/row-fault.js'
import { type DataFormat, hasShape, isMissing, labelOf, type RawRow, type Shape } from '../format.js'
import {
  pairOfDialogues,
  readMessages,
  readNumber,
  readTextAnswer,
  textAlone,
  typeName,
  valueName,
  withSystem,
} from '../messages.js'
import { PROMPT_COLUMNS, promptColumn, promptOf } from '../prompt-columns.js'
import { type Answers, judged } from './judged.js'

const COLUMN =
  /^(response|answer|output|completion|candidate|reply|generation|summary|conversation|option)_?(\d{1,2}|[a-h])$/i
const SCORES = ['reward', 'score', 'rating']

interface Columns {
  names: string[]
  suffixes: string[]
}

/** The largest family of columns that differ in a number or letter alone, in its order. */
function answerColumns(row: RawRow): Columns | undefined {
  const families = new Map<string, [name: string, suffix: string][]>()
  for (const name of Object.keys(row)) {
    const [, stem, suffix] = COLUMN.exec(name) ?? []
    if (stem === undefined || !hasShape(row[name], 'message or string')) continue
    const kind = `${stem.toLowerCase()} ${/\d/.test(suffix)}`
    families.set(kind, [...(families.get(kind) ?? []), [name, suffix]])
  }
  const [best] = [...families.values()]
    .filter((family) => family.length > 1)
    .sort((a, b) => b.length - a.length)
  best?.sort(([, a], [, b]) => a.localeCompare(b, 'en', { numeric: true }))
  return best && { names: best.map(([name]) => name), suffixes: best.map(([, suffix]) => suffix) }
}

/** LMSYS writes prompts and answers as lists of turns, as JSON text. */
function turnsOf(value: unknown): string[] | undefined {
  if (typeof value !== 'string' || !/^\s*\[\s*"/.test(value)) return undefined
  try {
    const list: unknown = JSON.parse(value)
    return hasShape(list, 'strings') ? (list as string[]) : undefined
  } catch {
    return undefined
  }
}

const either = (...names: string[]) => names.join('|')

export const answerColumnsFormat: DataFormat = {
  name: 'answer_columns',
  needs: {
    [PROMPT_COLUMNS]: 'string or messages',
    [either('response_a', 'response_1', 'answer_a', 'answer_1', 'output_1')]: 'message or string',
    [either('response_b', 'response_2', 'answer_b', 'answer_2', 'output_2')]: 'message or string',
  },
  detect(row) {
    const columns = answerColumns(row)
    return columns !== undefined && (isConversations(columns) || promptColumn(row) !== undefined)
  },
  toExample(row, { splitter, rewardColumn }) {
    const columns = answerColumns(row) as Columns
    const { names, suffixes } = columns
    const { prompt, texts } = isConversations(columns)
      ? dialogues(row, names)
      : answersOf(row, names, splitter)
    const stems = rewardColumn === undefined ? SCORES : [rewardColumn]
    const rewards = suffixes.map((suffix) => rewardOf(row, stems, suffix))
    const origins = suffixes.map((suffix) => {
      const model = row[`model_${suffix}`]
      return typeof model === 'string' ? model : ''
    })
    const answers: Answers = { texts, rewards, origins, names, suffixes }
    return { prompt, ...judged(row, answers) }
  },
}

const isConversations = ({ names }: Columns) => /^conversation/i.test(names[0])

function answersOf(row: RawRow, names: readonly string[], splitter: 'full' | 'legacy') {
  const column = promptColumn(row) as string
  const asked = turnsOf(row[column])
  const said = names.map((name) => turnsOf(row[name]))
  if (asked && said.every((turns) => turns?.length === asked.length)) {
    const whole = said.map((turns) =>
      (turns as string[]).flatMap((answer, i) => [
        { role: 'user' as const, content: asked[i] },
        { role: 'assistant' as const, content: answer },
      ]),
    )
    return shared(row, whole)
  }
  const texts = names.map((name) =>
    typeof row[name] === 'string' ? row[name] : readTextAnswer(row[name], name),
  )
  return { prompt: promptOf(row, splitter), texts }
}

/** Arena: `conversation_a` and `conversation_b` are whole dialogues. */
function dialogues(row: RawRow, names: readonly string[]) {
  const whole = names.map((name) => {
    if (hasShape(row[name], 'messages')) return readMessages(row[name], name)
    throw structuralFault('wrong_type', `${name} is ${typeName(row[name])}, not a list of messages`)
  })
  return shared(row, whole)
}

/** What the dialogues of a row, which differ in their last turn, have in common. */
function shared(row: RawRow, whole: readonly ReturnType<typeof readMessages>[]) {
  const pairs = whole.slice(1).map((other) => pairOfDialogues(whole[0], other))
  const answers = [pairs[0].chosen, ...pairs.map(({ rejected }) => rejected)]
  const texts = answers.map((answer) => textAlone(answer, 'the last turn'))
  return { prompt: withSystem(row, pairs[0].prompt), texts }
}

function rewardOf(row: RawRow, stems: readonly string[], suffix: string): number | undefined {
  const column = stems
    .flatMap((stem) => [`${stem}_${suffix}`, `${stem}${suffix}`])
    .find((name) => !isMissing(row[name]))
  return column === undefined ? undefined : readNumber(row[column], column)
}

const shpNeeds: Record<string, Shape> = {
  'history|prompt|post': 'string',
  human_ref_A: 'string',
  human_ref_B: 'string',
  labels: 'anything',
}

/** Stanford's SHP: `labels` is 1 where A has more votes, 0 where B has. */
export const shpFormat: DataFormat = {
  name: 'shp',
  needs: shpNeeds,
  detect: (row) =>
    ['human_ref_A', 'human_ref_B'].every((name) => typeof row[name] === 'string') && 'labels' in row,
  toExample(row, { splitter }) {
    const aIsBetter = labelOf(row.labels)
    if (aIsBetter === undefined) {
      throw structuralFault(
        'wrong_type',
        `labels is ${valueName(row.labels)}, not 1 (A is better) or 0 (B is)`,
      )
    }
    const texts = [row.human_ref_A as string, row.human_ref_B as string]
    const rewards = ['A', 'B'].map((suffix) => rewardOf(row, ['score'], suffix))
    return {
      prompt: promptOf(row, splitter),
      ...judged({ ranks: aIsBetter ? [1, 2] : [2, 1] }, { texts, rewards }),
    }
  },
}
