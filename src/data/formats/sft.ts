/** Formats with one answer per row, for supervised fine-tuning: prompt + completion, messages, text. */
import { structuralFault } from '../row-fault.js'
import { type DataFormat, isAbsent, meetsNeeds, type ParsedRow } from './format.js'
import { readAnswer, readMessages, splitLastTurn } from './messages.js'

const one = (prompt: ParsedRow['prompt'], text: string): ParsedRow => ({
  prompt,
  candidates: [{ text }],
  preferences: [],
})

const completionNeeds = { prompt: 'string or messages', completion: 'string or messages' } as const
const messagesNeeds = { messages: 'messages' } as const
const textNeeds = { text: 'string' } as const

/** Rows with a `label` are unpaired preferences: half of their answers are bad ones, so they are not read as SFT. */
export const promptCompletionFormat: DataFormat = {
  name: 'prompt_completion',
  needs: completionNeeds,
  detect: (row) => meetsNeeds(row, completionNeeds) && isAbsent(row, 'label'),
  toExample(row) {
    if (typeof row.prompt === 'string' && typeof row.completion === 'string')
      return one(row.prompt, row.completion)
    if (typeof row.prompt === 'string' || typeof row.completion === 'string') {
      throw structuralFault('wrong_type', 'prompt and completion have to be both strings or both messages')
    }
    return one(readMessages(row.prompt, 'prompt'), readAnswer(row.completion, 'completion'))
  },
}

/** A dialogue; the last assistant turn is the answer. */
export const messagesFormat: DataFormat = {
  name: 'messages',
  needs: messagesNeeds,
  detect: (row) => meetsNeeds(row, messagesNeeds) && isAbsent(row, 'chosen') && isAbsent(row, 'label'),
  toExample(row) {
    const { prompt, answer } = splitLastTurn(readMessages(row.messages, 'messages'), 'messages')
    return one(prompt, answer)
  },
}

/** Bare text, learned from its first token on. */
export const textFormat: DataFormat = {
  name: 'text',
  needs: textNeeds,
  detect: (row) =>
    meetsNeeds(row, textNeeds) &&
    ['prompt', 'chosen', 'messages', 'label'].every((column) => isAbsent(row, column)),
  toExample: (row) => one('', row.text as string),
}
