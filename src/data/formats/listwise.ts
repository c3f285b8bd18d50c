/** One prompt and any number of answers, with rewards, with ranks (1 is best, null is not compared), a label, or none. */
import { readList } from './answers/judged.js'
import { type DataFormat, meetsNeeds } from './format.js'
import { textOrTurns } from './prompt-columns.js'

const needs = { prompt: 'string or messages', completions: 'strings' } as const

export const listwiseFormat: DataFormat = {
  name: 'listwise',
  needs,
  detect: (row) => meetsNeeds(row, needs),
  toExample: (row, { rewardColumn }) => ({
    prompt: textOrTurns(row, 'prompt'),
    ...readList(row, 'completions', rewardColumn, ['rewards', 'scores']),
  }),
}
