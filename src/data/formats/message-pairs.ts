/** A dialogue and two single messages that answer it: LLaMA-Factory's ShareGPT, Axolotl's chat template, OpenAI. */
import { type DataFormat, meetsNeeds, type RawRow, type Shape } from './format.js'
import { pairCandidates, readAnswer, readMessages, withSystem } from './messages.js'

function dialoguePairFormat(name: string, column: string): DataFormat {
  const needs: Record<string, Shape> = { [column]: 'messages', chosen: 'message', rejected: 'message' }
  return {
    name,
    needs,
    detect: (row) => meetsNeeds(row, needs),
    toExample: (row, { rewardColumn }) => ({
      prompt: withSystem(row, readMessages(row[column], column)),
      ...pairCandidates(
        readAnswer(row.chosen, 'chosen'),
        readAnswer(row.rejected, 'rejected'),
        row,
        rewardColumn,
      ),
    }),
  }
}

export const sharegptPairFormat = dialoguePairFormat('sharegpt_pair', 'conversations')
export const messagesPairFormat = dialoguePairFormat('messages_pair', 'messages')

const openaiNeeds = {
  input: 'an object with messages',
  preferred_output: 'messages',
  non_preferred_output: 'messages',
} as const

/** The file of OpenAI's preference fine-tuning. */
export const openaiFormat: DataFormat = {
  name: 'openai_preference',
  needs: openaiNeeds,
  detect: (row) => meetsNeeds(row, openaiNeeds),
  toExample(row, { rewardColumn }) {
    const chosen = readAnswer(row.preferred_output, 'preferred_output')
    const rejected = readAnswer(row.non_preferred_output, 'non_preferred_output')
    const prompt = withSystem(row, readMessages((row.input as RawRow).messages, 'input.messages'))
    return { prompt, ...pairCandidates(chosen, rejected, row, rewardColumn) }
  },
}
