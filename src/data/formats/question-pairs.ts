/** One question and two answers as plain strings that are turns of a dialogue: Orca DPO pairs and RewardBench. */
import { type DataFormat, meetsNeeds } from './format.js'
import { pairCandidates, withSystem } from './messages.js'

const orcaNeeds = { question: 'string', chosen: 'string', rejected: 'string' } as const
const benchNeeds = {
  prompt: 'string',
  chosen: 'string',
  rejected: 'string',
  chosen_model: 'string',
  rejected_model: 'string',
} as const

/** `system` (an empty one is none), `question` and two answers. */
export const orcaFormat: DataFormat = {
  name: 'orca_dpo',
  needs: orcaNeeds,
  detect: (row) => meetsNeeds(row, orcaNeeds),
  toExample: (row, { rewardColumn }) => ({
    prompt: withSystem(row, [{ role: 'user', content: row.question as string }]),
    ...pairCandidates(row.chosen as string, row.rejected as string, row, rewardColumn),
  }),
}

/** RewardBench: the prompt is what a user said; the models that answered tell it from literal text. */
export const rewardBenchFormat: DataFormat = {
  name: 'reward_bench',
  needs: benchNeeds,
  detect: (row) => meetsNeeds(row, benchNeeds),
  toExample: (row, { rewardColumn }) => ({
    prompt: withSystem(row, [{ role: 'user', content: row.prompt as string }]),
    ...pairCandidates(row.chosen as string, row.rejected as string, row, rewardColumn),
  }),
}
