/** One prompt and any number of answers, with rewards, with ranks (1 is best, null is not compared), or with neither. */
import type { Candidate, Preference } from '../example.js'
import { structuralFault } from '../read/row-fault.js'
import { type DataFormat, isAbsent, meetsNeeds, type RawRow } from './format.js'
import { readMessages, typeName } from './messages.js'

const needs = { prompt: 'string or messages', completions: 'strings' } as const

export const listwiseFormat: DataFormat = {
  name: 'listwise',
  needs,
  detect: (row) => meetsNeeds(row, needs),
  toExample: (row, { rewardColumn }) => ({
    prompt: typeof row.prompt === 'string' ? row.prompt : readMessages(row.prompt, 'prompt'),
    ...readList(row, 'completions', rewardColumn, ['rewards', 'scores']),
  }),
}

/**
 * The answers of a row in the column `answers`, with the rewards, `ranks` and `models` that stand beside them.
 * @throws RowFault (structural) for lists of another length or of something else than numbers
 */
export function readList(
  row: RawRow,
  answers: string,
  rewardColumn: string | undefined,
  rewardColumns: string[],
): { candidates: Candidate[]; preferences: Preference[] } {
  const texts = row[answers] as string[]
  const numbers = (column: string | undefined) => readNumbers(row, column, texts.length, answers)
  const rewards = numbers(rewardColumn ?? firstPresent(row, rewardColumns))
  const ranks = readNumbers(row, firstPresent(row, ['ranks']), texts.length, answers, true)
  const origins = Array.isArray(row.models) ? row.models : []
  const candidates = texts.map((text, i) => {
    const candidate: Candidate = { text }
    if (rewards) candidate.reward = rewards[i]
    if (typeof origins[i] === 'string') candidate.origin = origins[i]
    return candidate
  })
  return { candidates, preferences: ranks ? preferencesOfRanks(ranks) : [] }
}

/** Every pair of different ranks is a preference for the lower number; equal ranks, and null, say nothing. */
export function preferencesOfRanks(ranks: readonly (number | null)[]): Preference[] {
  const preferences: Preference[] = []
  for (let i = 0; i < ranks.length; i++) {
    for (let j = i + 1; j < ranks.length; j++) {
      const [a, b] = [ranks[i], ranks[j]]
      if (a === null || b === null) continue
      if (a < b) preferences.push({ better: i, worse: j })
      else if (b < a) preferences.push({ better: j, worse: i })
    }
  }
  return preferences
}

const firstPresent = (row: RawRow, columns: string[]) => columns.find((column) => !isAbsent(row, column))

function readNumbers(
  row: RawRow,
  column: string | undefined,
  count: number,
  answers: string,
): number[] | undefined
function readNumbers(
  row: RawRow,
  column: string | undefined,
  count: number,
  answers: string,
  holes: true,
): (number | null)[] | undefined
function readNumbers(row: RawRow, column: string | undefined, count: number, answers: string, holes = false) {
  if (column === undefined) return undefined
  const value = row[column]
  const fits = (item: unknown) => Number.isFinite(item) || (holes && item === null)
  if (!Array.isArray(value) || !value.every(fits)) {
    throw structuralFault('wrong_type', `${column} is ${typeName(value)}, not a list of numbers`)
  }
  if (value.length !== count) {
    throw structuralFault('wrong_length', `${column} has ${value.length} numbers for ${count} ${answers}`)
  }
  return value
}
