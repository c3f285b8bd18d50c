/** One prompt and any number of answers, with rewards, with ranks (1 is best), or with neither. */
import type { Candidate, Preference } from '../example.js'
import { structuralFault } from '../row-fault.js'
import { type DataFormat, isAbsent, meetsNeeds, type RawRow } from './format.js'
import { readMessages, typeName } from './messages.js'

const needs = { prompt: 'string or messages', completions: 'strings' } as const

export const listwiseFormat: DataFormat = {
  name: 'listwise',
  needs,
  detect: (row) => meetsNeeds(row, needs),
  toExample(row, { rewardColumn }) {
    const texts = row.completions as string[]
    const rewards = readNumbers(row, rewardColumn ?? firstPresent(row, ['rewards', 'scores']), texts.length)
    const ranks = readNumbers(row, firstPresent(row, ['ranks']), texts.length)
    const origins = Array.isArray(row.models) ? row.models : []
    const candidates = texts.map((text, i) => {
      const candidate: Candidate = { text }
      if (rewards) candidate.reward = rewards[i]
      if (typeof origins[i] === 'string') candidate.origin = origins[i]
      return candidate
    })
    const prompt = typeof row.prompt === 'string' ? row.prompt : readMessages(row.prompt, 'prompt')
    return { prompt, candidates, preferences: ranks ? preferencesOfRanks(ranks) : [] }
  },
}

/** Every pair of different ranks is a preference for the lower number; equal ranks say nothing. */
export function preferencesOfRanks(ranks: readonly number[]): Preference[] {
  const preferences: Preference[] = []
  for (let i = 0; i < ranks.length; i++) {
    for (let j = i + 1; j < ranks.length; j++) {
      if (ranks[i] < ranks[j]) preferences.push({ better: i, worse: j })
      else if (ranks[j] < ranks[i]) preferences.push({ better: j, worse: i })
    }
  }
  return preferences
}

const firstPresent = (row: RawRow, columns: string[]) => columns.find((column) => !isAbsent(row, column))

function readNumbers(row: RawRow, column: string | undefined, count: number): number[] | undefined {
  if (column === undefined) return undefined
  const value = row[column]
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'number')) {
    throw structuralFault('wrong_type', `${column} is ${typeName(value)}, not a list of numbers`)
  }
  if (value.length !== count) {
    throw structuralFault('wrong_length', `${column} has ${value.length} numbers for ${count} completions`)
  }
  return value as number[]
}
