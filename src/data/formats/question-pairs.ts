/** One question and two answers as plain strings that are turns of a dialogue: Orca DPO pairs and RewardBench. */
import { columnOf, type DataFormat, isAbsent, meetsNeeds, type Shape } from './format.js'
import { pairCandidates, withSystem } from './messages.js'

const orcaNeeds = { 'question|input': 'string', chosen: 'string', rejected: 'string' } as const
const benchNeeds = {
  prompt: 'string',
  chosen: 'string',
  rejected: 'string',
  chosen_model: 'string',
  rejected_model: 'string',
} as const

function questionPairFormat(name: string, columns: string, needs: Record<string, Shape>): DataFormat {
  return {
    name,
    needs,
    detect: (row) => meetsNeeds(row, needs) && isAbsent(row, 'instruction'),
    toExample: (row, { rewardColumn }) => ({
      prompt: withSystem(row, [
        { role: 'user', content: row[columnOf(row, columns, 'string') as string] as string },
      ]),
      ...pairCandidates(row.chosen as string, row.rejected as string, row, rewardColumn),
    }),
  }
}

/** `system` (an empty one is none), `question` or Argilla's `input`, and two answers. */
export const orcaFormat = questionPairFormat('orca_dpo', 'question|input', orcaNeeds)

/** RewardBench: the prompt is what a user said; the models that answered tell it from literal text. */
export const rewardBenchFormat = questionPairFormat('reward_bench', 'prompt', benchNeeds)
