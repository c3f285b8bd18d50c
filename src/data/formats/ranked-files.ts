/** Ranked lists as the code of PRO and of RRHF keeps them. */
import type { Message } from '../../dialogue.js'
import { contentFault, structuralFault } from '../read/row-fault.js'
import { readList } from './answers/judged.js'
import { type DataFormat, meetsNeeds } from './format.js'
import { transcriptPrompt } from './hh.js'
import { withSystem } from './messages.js'
import { literalPrompt } from './prompt-columns.js'

const proNeeds = { prefix: 'lists of strings', suffix: 'strings' } as const
const rrhfNeeds = { query: 'string', responses: 'strings' } as const

const TAG = /^<\|(prompter|assistant|system)\|>/
const TAG_ROLE = { prompter: 'user', assistant: 'assistant', system: 'system' } as const

/** Turns with a tag in front; the last is the bare assistant tag, where the answer begins. */
function untag(turns: readonly string[]): Message[] {
  const messages = turns.map((turn, i): Message => {
    const tag = TAG.exec(turn)
    if (!tag)
      throw structuralFault('wrong_type', `prefix[0][${i}] does not start with <|prompter|> or <|assistant|>`)
    return { role: TAG_ROLE[tag[1] as keyof typeof TAG_ROLE], content: turn.slice(tag[0].length) }
  })
  const last = messages.at(-1)
  return last?.role === 'assistant' && last.content === '' ? messages.slice(0, -1) : messages
}

/** One prefix per answer, all the same; `reward` beside them. `sft_index` is not used: rescoring decides. */
export const proFormat: DataFormat = {
  name: 'pro',
  needs: proNeeds,
  detect: (row) => meetsNeeds(row, proNeeds),
  toExample(row, { rewardColumn }) {
    const prefixes = row.prefix as string[][]
    const differs = prefixes.findIndex((prefix) => prefix.join('\0') !== prefixes[0].join('\0'))
    if (differs >= 0) {
      throw contentFault('different_prompts', `prefix ${differs + 1} is not the same as the first`)
    }
    const list = readList(row, 'suffix', rewardColumn, ['reward'])
    if (prefixes.length !== list.candidates.length) {
      const counts = `${prefixes.length} prefixes for ${list.candidates.length} answers`
      throw structuralFault('wrong_length', `prefix has ${counts}`)
    }
    return { prompt: withSystem(row, untag(prefixes[0])), ...list }
  },
}

/** An HH transcript that waits for the assistant, or else literal text, and the answers with their `scores`. */
export const rrhfFormat: DataFormat = {
  name: 'rrhf',
  needs: rrhfNeeds,
  detect: (row) => meetsNeeds(row, rrhfNeeds),
  toExample(row, { splitter, rewardColumn }) {
    const list = readList(row, 'responses', rewardColumn, ['scores'])
    const messages = transcriptPrompt(row.query as string, splitter)
    if (!messages) return { prompt: literalPrompt(row, 'query'), ...list }
    const candidates = list.candidates.map((candidate) => ({ ...candidate, text: candidate.text.trim() }))
    return { ...list, prompt: withSystem(row, messages), candidates }
  },
}
