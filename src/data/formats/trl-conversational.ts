/** TRL's conversational preference formats: messages, with the prompt apart (explicit) or inside (implicit). */
import { type DataFormat, hasShape, meetsNeeds } from './format.js'
import { pairCandidates, pairOfDialogues, readAnswer, readMessages } from './messages.js'

const explicitNeeds = { prompt: 'messages', chosen: 'messages', rejected: 'messages' } as const
const implicitNeeds = { chosen: 'messages', rejected: 'messages' } as const

/** `prompt`, `chosen` and `rejected` are messages; the answers are one assistant message each. */
export const trlConversationalFormat: DataFormat = {
  name: 'trl_conversational',
  needs: explicitNeeds,
  detect: (row) => meetsNeeds(row, explicitNeeds),
  toExample(row, { rewardColumn }) {
    const chosen = readAnswer(row.chosen, 'chosen')
    const rejected = readAnswer(row.rejected, 'rejected')
    const prompt = readMessages(row.prompt, 'prompt')
    return { prompt, ...pairCandidates(chosen, rejected, row, rewardColumn) }
  },
}

/** Whole dialogues; what they share is the prompt. A `prompt` string beside them is only the first question. */
export const trlImplicitFormat: DataFormat = {
  name: 'trl_implicit',
  needs: implicitNeeds,
  detect: (row) => meetsNeeds(row, implicitNeeds) && !hasShape(row.prompt, 'messages'),
  toExample(row, { rewardColumn }) {
    const pair = pairOfDialogues(readMessages(row.chosen, 'chosen'), readMessages(row.rejected, 'rejected'))
    return { prompt: pair.prompt, ...pairCandidates(pair.chosen, pair.rejected, row, rewardColumn) }
  },
}
