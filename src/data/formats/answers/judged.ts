/** Answers of a row with what stands beside them: rewards, models, ranks or a label. */
import type { Candidate, Preference } from '../../example.js'
import { structuralFault } from '../../read/row-fault.js'
import type { RawRow } from '../format.js'
import { valueName } from '../messages.js'
import { type Stated, statedPreferences } from './verdicts.js'

/**
 * The answers of a row in the column `answers`, with the rewards, `ranks` or label, and `models` that stand beside them.
 * @throws RowFault (structural) for lists of another length or of something else than numbers
 */
export function readList(
  row: RawRow,
  answers: string,
  rewardColumn: string | undefined,
  rewardColumns: string[],
): Stated & { candidates: Candidate[] } {
  const texts = row[answers] as string[]
  const column = rewardColumn ?? rewardColumns.find((name) => row[name] !== undefined && row[name] !== null)
  const rewards = column === undefined ? undefined : readRewards(row[column], column, texts.length, answers)
  const models = Array.isArray(row.models)
    ? row.models.map((name) => (typeof name === 'string' ? name : ''))
    : []
  return judged(row, { texts, rewards, origins: models })
}

export interface Answers {
  texts: readonly string[]
  rewards?: readonly (number | undefined)[]
  /** Where each comes from: a model, or the name that a label calls it by; may be empty. */
  origins?: readonly string[]
  /** Column names or keys, and what tells them apart. */
  names?: readonly string[]
  suffixes?: readonly string[]
}

/** Answers as candidates, with the preferences that the row states. */
export function judged(row: RawRow, answers: Answers): Stated & { candidates: Candidate[] } {
  const { texts, rewards = [], origins = [], suffixes = [] } = answers
  const names = texts.map((_, i) => answers.names?.[i] ?? origins[i] ?? '')
  const candidates = texts.map((text, i): Candidate => {
    const candidate: Candidate = { text }
    if (rewards[i] !== undefined) candidate.reward = rewards[i]
    if (origins[i]) candidate.origin = origins[i]
    return candidate
  })
  const models = texts.map((_, i) => origins[i] ?? '')
  return { candidates, ...statedPreferences(row, { names, suffixes, models, texts }) }
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

/** @throws RowFault (structural) for what is no list, naming the first item that is no number */
function checkNumbers(
  value: unknown,
  column: string,
  isNumber: (item: unknown) => boolean,
): asserts value is unknown[] {
  if (!Array.isArray(value))
    throw structuralFault('wrong_type', `${column} is ${valueName(value)}, not a list of numbers`)
  const at = value.findIndex((item) => !isNumber(item))
  if (at >= 0)
    throw structuralFault('wrong_type', `${column}[${at}] is ${valueName(value[at])}, not a number`)
}

/** One reward an answer; null and NaN are missing ones. */
function readRewards(value: unknown, column: string, count: number, answers: string): (number | undefined)[] {
  const isMissing = (item: unknown) => item === null || Number.isNaN(item)
  checkNumbers(value, column, (item) => isMissing(item) || Number.isFinite(item))
  if (value.length !== count) {
    throw structuralFault('wrong_length', `${column} has ${value.length} numbers for ${count} ${answers}`)
  }
  return value.map((item) => (isMissing(item) ? undefined : (item as number)))
}
