/** Rows with a prompt and no answer, for generation: recognised only where no answer is needed. */
import { type DataFormat, isAbsent, meetsNeeds } from './format.js'
import { textOrTurns } from './prompt-columns.js'

const ANSWERS = ['chosen', 'rejected', 'completion', 'completions', 'output']
const promptNeeds = { prompt: 'string or messages' } as const
const dialogueNeeds = { messages: 'messages' } as const

const promptFormat: DataFormat = {
  name: 'prompt',
  needs: promptNeeds,
  detect: (row) => meetsNeeds(row, promptNeeds) && ANSWERS.every((column) => isAbsent(row, column)),
  toExample: (row) => ({ prompt: textOrTurns(row, 'prompt'), candidates: [], preferences: [] }),
}

/** A dialogue in which the assistant has the next word. */
const openDialogueFormat: DataFormat = {
  name: 'open_messages',
  needs: dialogueNeeds,
  detect: (row) =>
    meetsNeeds(row, dialogueNeeds) && (row.messages as { role: unknown }[]).at(-1)?.role !== 'assistant',
  toExample: (row) => ({ prompt: textOrTurns(row, 'messages'), candidates: [], preferences: [] }),
}

export const PROMPT_FORMATS: readonly DataFormat[] = [promptFormat, openDialogueFormat]
