/** TRL's standard preference format: three strings; the prompt is literal text that the answers continue, or a user's turn beside a `system`. */
import { type DataFormat, meetsNeeds } from './format.js'
import { pairCandidates } from './messages.js'
import { literalPrompt } from './prompt-columns.js'

const needs = { 'prompt|query': 'string', chosen: 'string', rejected: 'string' } as const

export const trlStringFormat: DataFormat = {
  name: 'trl_string',
  needs,
  detect: (row) => meetsNeeds(row, needs),
  toExample: (row, { rewardColumn }) => ({
    prompt: literalPrompt(row, typeof row.prompt === 'string' ? 'prompt' : 'query'),
    ...pairCandidates(row.chosen as string, row.rejected as string, row, rewardColumn),
  }),
}
