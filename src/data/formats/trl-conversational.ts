/** TRL's conversational pairs, with a prompt of their own or inside both dialogues. */
import type { Message } from '../../dialogue.js'
import { type DataFormat, hasShape, meetsNeeds, type RawRow } from './format.js'
import { pairCandidates, pairOfDialogues, readAnswer, readMessages, withSystem } from './messages.js'

const explicitNeeds = { prompt: 'messages', chosen: 'messages', rejected: 'messages' } as const
const implicitNeeds = { chosen: 'messages', rejected: 'messages' } as const

/** The prompt of a row whose `chosen` and `rejected` hold the answer alone. */
const questionOf = ({ prompt }: RawRow): Message[] =>
  typeof prompt === 'string' && prompt !== '' ? [{ role: 'user', content: prompt }] : []

/** `prompt`, `chosen` and `rejected` are messages; the answers are one assistant message each. */
export const trlConversationalFormat: DataFormat = {
  name: 'trl_conversational',
  needs: explicitNeeds,
  detect: (row) => meetsNeeds(row, explicitNeeds),
  toExample(row, { rewardColumn }) {
    const chosen = readAnswer(row.chosen, 'chosen')
    const rejected = readAnswer(row.rejected, 'rejected')
    const prompt = withSystem(row, readMessages(row.prompt, 'prompt'))
    return { prompt, ...pairCandidates(chosen, rejected, row, rewardColumn) }
  },
}

/**
 * Whole dialogues; what they share is the prompt. A `prompt` string beside them (UltraFeedback) is only the first
 * question, and counts where `chosen` and `rejected` hold nothing but the answer.
 */
export const trlImplicitFormat: DataFormat = {
  name: 'trl_implicit',
  needs: implicitNeeds,
  detect: (row) => meetsNeeds(row, implicitNeeds) && !hasShape(row.prompt, 'messages'),
  toExample(row, { rewardColumn }) {
    const pair = pairOfDialogues(readMessages(row.chosen, 'chosen'), readMessages(row.rejected, 'rejected'))
    const prompt = withSystem(row, pair.prompt.length > 0 ? pair.prompt : questionOf(row))
    return { prompt, ...pairCandidates(pair.chosen, pair.rejected, row, rewardColumn) }
  },
}
