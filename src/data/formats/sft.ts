/** Formats with one answer per row, for supervised fine-tuning: prompt + completion, messages, Alpaca, text. */
import { structuralFault } from '../read/row-fault.js'
import { alpacaPrompt } from './alpaca.js'
import { type DataFormat, isAbsent, meetsNeeds, type RawRow, type Shape } from './format.js'
import { noPrompt, oneAnswer, readAnswer, readMessages, splitLastTurn, withSystem } from './messages.js'
import { literalPrompt, textOrTurns } from './prompt-columns.js'

const completionNeeds = { prompt: 'string or messages', completion: 'string or messages' } as const
const alpacaNeeds = { instruction: 'string', output: 'string' } as const
const textNeeds = { text: 'string' } as const

/** Prompt and answer that are both text or both messages. */
export function readCompletion(row: RawRow) {
  if (typeof row.prompt === 'string' && typeof row.completion === 'string')
    return oneAnswer(literalPrompt(row, 'prompt'), row.completion)
  if (typeof row.prompt === 'string' || typeof row.completion === 'string') {
    throw structuralFault('wrong_type', 'prompt and completion have to be both strings or both messages')
  }
  return oneAnswer(textOrTurns(row, 'prompt'), readAnswer(row.completion, 'completion'))
}

/** A dialogue of which the last turn is the answer. */
export function readDialogue(row: RawRow, column: string) {
  const messages = withSystem(row, readMessages(row[column], column))
  const { prompt, answer } = splitLastTurn(messages, column)
  return oneAnswer(prompt, answer)
}

/** Rows with a `label` are unpaired preferences, which are asked first: half of their answers are bad ones. */
export const promptCompletionFormat: DataFormat = {
  name: 'prompt_completion',
  needs: completionNeeds,
  detect: (row) => meetsNeeds(row, completionNeeds),
  toExample: readCompletion,
}

/** A dialogue; the last assistant turn is the answer. */
function dialogueFormat(name: string, column: string): DataFormat {
  const needs: Record<string, Shape> = { [column]: 'messages' }
  return {
    name,
    needs,
    speaksAgainst: 'it has a chosen that fits no other format',
    detect: (row) => meetsNeeds(row, needs) && isAbsent(row, 'chosen'),
    toExample: (row) => readDialogue(row, column),
  }
}

export const messagesFormat = dialogueFormat('messages', 'messages')
export const sharegptFormat = dialogueFormat('sharegpt', 'conversations')

export const alpacaFormat: DataFormat = {
  name: 'alpaca',
  needs: alpacaNeeds,
  detect: (row) => meetsNeeds(row, alpacaNeeds),
  toExample: (row) => oneAnswer(alpacaPrompt(row), row.output as string),
}

/** Bare text, learned from its first token on. */
export const textFormat: DataFormat = {
  name: 'text',
  needs: textNeeds,
  detect: (row) =>
    meetsNeeds(row, textNeeds) &&
    ['prompt', 'chosen', 'messages', 'label'].every((column) => isAbsent(row, column)),
  toExample: (row) => oneAnswer(noPrompt(row), row.text as string),
}
