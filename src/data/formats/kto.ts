/** Unpaired rows: one answer and whether it is desirable (`label`), for KTO and BCO. */
import { structuralFault } from '../read/row-fault.js'
import { alpacaPrompt } from './alpaca.js'
import { type DataFormat, labelOf, meetsNeeds, type ParsedRow, type RawRow, type Shape } from './format.js'
import { oneAnswer, valueName } from './messages.js'
import { readCompletion, readDialogue } from './sft.js'

function unpairedFormat(
  name: string,
  answer: Record<string, Shape>,
  read: (row: RawRow) => ParsedRow,
): DataFormat {
  const needs: Record<string, Shape> = { ...answer, label: 'anything' }
  return {
    name,
    needs,
    detect: (row) => meetsNeeds(row, needs),
    toExample(row) {
      const parsed = read(row)
      parsed.candidates[0].desirable = readLabel(row.label)
      return parsed
    },
  }
}

/** @throws RowFault (structural) for a label that is null or neither true nor false */
function readLabel(value: unknown): boolean {
  const label = labelOf(value)
  if (label !== undefined) return label
  throw structuralFault('wrong_type', `label is ${valueName(value)}; its label is neither true nor false`)
}

/** TRL's: prompt and completion, both text or both messages. The others are LLaMA-Factory's. */
export const UNPAIRED_FORMATS: readonly DataFormat[] = [
  unpairedFormat('kto', { prompt: 'string or messages', completion: 'string or messages' }, readCompletion),
  unpairedFormat('kto_messages', { messages: 'messages' }, (row) => readDialogue(row, 'messages')),
  unpairedFormat('kto_sharegpt', { conversations: 'messages' }, (row) => readDialogue(row, 'conversations')),
  unpairedFormat('kto_alpaca', { instruction: 'string', output: 'string' }, (row) =>
    oneAnswer(alpacaPrompt(row), row.output as string),
  ),
]
