/** Lists of answers as they are published: plain texts, objects with rank or score, or a map from model to answer. */
import { structuralFault } from '../../read/row-fault.js'
import { columnOf, type DataFormat, isMissing, type ParsedRow, type RawRow, textKey } from '../format.js'
import { noPrompt, readNumber } from '../messages.js'
import { PROMPT_COLUMNS, promptColumn, promptOf } from '../prompt-columns.js'
import { judged, readList } from './judged.js'

const LISTS = 'completions|candidates|answers|responses|outputs|generations|samples|texts|text'
const REWARDS = ['rewards', 'scores', 'reward', 'score', 'ratings', 'rating']
/** Where an object of a list has its number; the overall score before those of single aspects. */
const SCORES = ['reward', 'score', 'overall_score', 'rating', 'fine-grained_score']
const MODELS = ['model', 'generator', 'policy', 'source']

const listNeeds = { [PROMPT_COLUMNS]: 'string or messages', [LISTS]: 'strings' } as const

/** Texts under another name, or with a prompt under another name, than those of `listwise`. */
export const answerListFormat: DataFormat = {
  name: 'answer_list',
  needs: listNeeds,
  detect: (row) => listOf(row) !== undefined,
  toExample(row, { splitter, rewardColumn }) {
    const { prompt, trims } = promptOrNone(row, splitter)
    const list = readList(row, listOf(row) ?? 'completions', rewardColumn, REWARDS)
    return trims({ prompt, ...list })
  },
}

/** Two texts at least, and a prompt; `text` may do without one where scores stand beside it. */
function listOf(row: RawRow): string | undefined {
  const column = columnOf(row, LISTS, 'strings')
  if (column === undefined) return undefined
  if (promptColumn(row) !== undefined) return column
  return column.startsWith('text') && REWARDS.some((name) => Array.isArray(row[name])) ? column : undefined
}

/** The prompt, empty where there is none; answers to a transcript are trimmed as its turns are. */
function promptOrNone(row: RawRow, splitter: 'full' | 'legacy') {
  const column = promptColumn(row)
  const prompt = column === undefined ? noPrompt(row) : promptOf(row, splitter)
  const isTranscript =
    column !== undefined && typeof row[column] === 'string' && /^\s*Human:/.test(row[column])
  const trims = (parsed: ParsedRow): ParsedRow =>
    isTranscript && typeof prompt !== 'string'
      ? { ...parsed, candidates: parsed.candidates.map((one) => ({ ...one, text: one.text.trim() })) }
      : parsed
  return { prompt, trims }
}

/** Nectar (`rank`), UltraFeedback in full (`overall_score`), and their like. */
export const answerObjectsFormat: DataFormat = {
  name: 'answer_objects',
  needs: { [PROMPT_COLUMNS]: 'string or messages', [`${LISTS}|summaries`]: 'objects with texts' },
  detect: (row) => promptColumn(row) !== undefined && objectsOf(row) !== undefined,
  toExample(row, { splitter, rewardColumn }) {
    const { prompt, trims } = promptOrNone(row, splitter)
    const column = objectsOf(row) ?? 'answers'
    return trims({ prompt, ...readObjects(row, row[column] as RawRow[], column, rewardColumn) })
  },
}

const objectsOf = (row: RawRow) => columnOf(row, `${LISTS}|summaries`, 'objects with texts')

function readObjects(row: RawRow, items: RawRow[], column: string, rewardColumn: string | undefined) {
  // One name for all answers of a row: numbers under other names are in other units.
  const numbers = (names: readonly string[]) => {
    const name = names.find((key) => items.some((item) => !isMissing(item[key])))
    return items.map((item, i) =>
      name === undefined || isMissing(item[name])
        ? undefined
        : readNumber(item[name], `${column}[${i}].${name}`),
    )
  }
  const ranks = numbers(['rank', 'ranking']).map((rank) => rank ?? null)
  const told = ranks.some((rank) => rank !== null) ? { ...row, ranks } : row
  return judged(told, {
    texts: items.map((item) => item[textKey(item) as string] as string),
    rewards: numbers(rewardColumn === undefined ? SCORES : [rewardColumn]),
    origins: items.map(
      (item) => MODELS.map((key) => item[key]).find((name) => typeof name === 'string') ?? '',
    ) as string[],
  })
}

const MAPS = 'answers|responses|completions|outputs|candidates|generations'

/** `{"answers": {"model a": "…", "model b": "…"}}`, with maps or lists of scores and ranks of the same keys. */
export const answerMapFormat: DataFormat = {
  name: 'answer_map',
  needs: { [PROMPT_COLUMNS]: 'string or messages', [MAPS]: 'a map of texts' },
  detect: (row) => promptColumn(row) !== undefined && mapOf(row) !== undefined,
  toExample(row, { splitter, rewardColumn }) {
    const { prompt, trims } = promptOrNone(row, splitter)
    const column = mapOf(row) ?? 'answers'
    const map = row[column] as RawRow
    const names = Object.keys(map)
    const items = names.map((name, i): RawRow => {
      const value = map[name]
      const item: RawRow = typeof value === 'string' ? { text: value } : { ...(value as RawRow) }
      const reward = numberBeside(row, name, i, rewardColumn === undefined ? REWARDS : [rewardColumn])
      return { ...item, model: name, ...(reward === undefined ? {} : { reward }) }
    })
    return trims({ prompt, ...readObjects(row, items, column, undefined) })
  },
}

const mapOf = (row: RawRow) => columnOf(row, MAPS, 'a map of texts')

function numberBeside(row: RawRow, name: string, i: number, columns: readonly string[]): unknown {
  const column = columns.find((key) => typeof row[key] === 'object' && row[key] !== null)
  if (column === undefined) return undefined
  const beside = row[column] as RawRow
  const value = Array.isArray(beside) ? beside[i] : beside[name]
  if (value === undefined) throw structuralFault('wrong_length', `${column} has no number for "${name}"`)
  return value
}
