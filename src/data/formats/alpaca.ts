/** Alpaca's rows, `instruction`, `input` and `history`, with two answers or a list of them. */
import type { Message } from '../../dialogue.js'
import { structuralFault } from '../read/row-fault.js'
import { readList } from './answers/judged.js'
import { type DataFormat, isAbsent, meetsNeeds, type RawRow } from './format.js'
import { pairCandidates, typeName, withSystem } from './messages.js'

const pairNeeds = { instruction: 'string', chosen: 'string', rejected: 'string' } as const
const listNeeds = { instruction: 'string', output: 'strings' } as const

/**
 * The dialogue of an Alpaca row: `system`, the turns of `history`, then the instruction with the input on a line of
 * its own where it is not empty.
 * @throws RowFault (structural) for a history that is no list of [user, assistant] turns, or an input that is no text
 */
export function alpacaPrompt(row: RawRow): Message[] {
  const { instruction, input } = row
  if (!isAbsent(row, 'input') && typeof input !== 'string') {
    throw structuralFault('wrong_type', `input is ${typeName(input)}, not a string`)
  }
  const content = input ? `${instruction}\n${input}` : (instruction as string)
  return withSystem(row, [...readHistory(row), { role: 'user', content }])
}

function readHistory(row: RawRow): Message[] {
  if (isAbsent(row, 'history') || row.history === '') return []
  const { history } = row
  if (!Array.isArray(history)) {
    throw structuralFault('wrong_type', `history is ${typeName(history)}, not a list of turns`)
  }
  return history.flatMap((turn, i): Message[] => {
    const [user, assistant] = Array.isArray(turn) ? turn : []
    if (typeof user !== 'string' || typeof assistant !== 'string') {
      throw structuralFault('wrong_type', `history[${i}] is not a pair of texts [user, assistant]`)
    }
    return [
      { role: 'user', content: user },
      { role: 'assistant', content: assistant },
    ]
  })
}

export const alpacaPairFormat: DataFormat = {
  name: 'alpaca_pair',
  needs: pairNeeds,
  detect: (row) => meetsNeeds(row, pairNeeds),
  toExample: (row, { rewardColumn }) => ({
    prompt: alpacaPrompt(row),
    ...pairCandidates(row.chosen as string, row.rejected as string, row, rewardColumn),
  }),
}

/** LLaMA-Factory's older layout: `output` is [better, worse], or a ranking of any length, the best first. */
export const alpacaOutputFormat: DataFormat = {
  name: 'alpaca_output',
  needs: listNeeds,
  detect: (row) => meetsNeeds(row, listNeeds),
  toExample(row, { rewardColumn }) {
    const output = row.output as string[]
    if (output.length < 2) {
      throw structuralFault('wrong_length', 'output has 1 text; a ranking has two at least, the best first')
    }
    const prompt = alpacaPrompt(row)
    if (output.length > 2) {
      const ranks = output.map((_, i) => i + 1)
      return { prompt, ...readList({ ranks, ...row }, 'output', rewardColumn, ['rewards', 'scores']) }
    }
    return { prompt, ...pairCandidates(output[0], output[1], row, rewardColumn) }
  },
}
