/** HH-RLHF's rows: two whole transcripts that share their beginning. */
import type { Message } from '../../dialogue.js'
import { contentFault } from '../read/row-fault.js'
import { type DataFormat, isAbsent, meetsNeeds } from './format.js'
import { pairCandidates, pairOfDialogues, withSystem } from './messages.js'

const MARKER = /(?:^|\n\n)(Human|Assistant):/g
const HAS_MARKER = /(?:Human|Assistant):/

/**
 * A transcript as messages. `full` cuts at role markers only, so every paragraph stays; `legacy` cuts at every blank
 * line and drops the pieces without a marker, as the reference code does. Turns of one speaker in a row are joined
 * with a newline; contents are trimmed.
 * @throws RowFault (content) where it does not start with a human turn
 */
export function splitTranscript(text: string, splitter: 'full' | 'legacy', column = 'chosen'): Message[] {
  const pieces = splitter === 'full' ? cutAtMarkers(text) : cutAtBlankLines(text)
  const messages: Message[] = []
  for (const piece of pieces) {
    const last = messages.at(-1)
    if (last?.role === piece.role) last.content += `\n${piece.content}`
    else messages.push(piece)
  }
  if (messages[0]?.role !== 'user') {
    throw contentFault('not_human_first', `${column} does not start with a "Human:" turn`)
  }
  return messages
}

function cutAtMarkers(text: string): Message[] {
  const markers = [...text.matchAll(MARKER)]
  if (markers.length === 0 || text.slice(0, markers[0].index).trim() !== '') {
    throw contentFault('not_human_first', 'there is text before the first "Human:" turn')
  }
  return markers.map((marker, i) => {
    const from = marker.index + marker[0].length
    return message(marker[1], text.slice(from, markers[i + 1]?.index))
  })
}

function cutAtBlankLines(text: string): Message[] {
  const opened = text.split('\n\n').map((piece) => /^(Human|Assistant):/.exec(piece))
  return opened
    .filter((match) => match !== null)
    .map((match) => message(match[1], match.input.slice(match[0].length)))
}

/** The turns of a transcript that waits for the assistant; undefined for any other text. */
export function transcriptPrompt(text: string, splitter: 'full' | 'legacy'): Message[] | undefined {
  if (!/^\s*Human:/.test(text) || !/\n\nAssistant:\s*$/.test(text)) return undefined
  return splitTranscript(text, splitter, 'the prompt').slice(0, -1)
}

const message = (speaker: string, content: string): Message => ({
  role: speaker === 'Human' ? 'user' : 'assistant',
  content: content.trim(),
})

const needs = { chosen: 'string', rejected: 'string' } as const

export const hhFormat: DataFormat = {
  name: 'hh',
  needs,
  speaksAgainst: 'its text has no "Human:" / "Assistant:" markers',
  detect: (row) =>
    meetsNeeds(row, needs) &&
    isAbsent(row, 'prompt') &&
    (HAS_MARKER.test(row.chosen as string) || HAS_MARKER.test(row.rejected as string)),
  toExample(row, { splitter, rewardColumn }) {
    const chosen = splitTranscript(row.chosen as string, splitter, 'chosen')
    const rejected = splitTranscript(row.rejected as string, splitter, 'rejected')
    const pair = pairOfDialogues(chosen, rejected)
    const prompt = withSystem(row, pair.prompt)
    return { prompt, ...pairCandidates(pair.chosen, pair.rejected, row, rewardColumn) }
  },
}
