/** Checking messages and answers found in a row. */
import type { Candidate, Message, Preference, Role } from '../example.js'
import { contentFault, structuralFault } from '../row-fault.js'
import type { RawRow } from './format.js'

const ROLES = new Set(['system', 'user', 'assistant', 'tool'])

/** Messages with only `role` and `content`. @throws RowFault (structural) for another role or content. */
export function readMessages(value: unknown, column: string): Message[] {
  return (value as Record<string, unknown>[]).map(({ role, content }, i) => {
    if (typeof role !== 'string' || !ROLES.has(role)) {
      const found = JSON.stringify(role)?.slice(0, 40)
      throw structuralFault(
        'wrong_type',
        `${column}[${i}].role is ${found}, not one of ${[...ROLES].join(', ')}`,
      )
    }
    if (typeof content !== 'string') {
      throw structuralFault('wrong_type', `${column}[${i}].content is ${typeName(content)}, not a string`)
    }
    return { role: role as Role, content }
  })
}

/** The one assistant message that answers a prompt. */
export function readAnswer(value: unknown, column: string): string {
  const messages = readMessages(value, column)
  if (messages.length !== 1) {
    throw contentFault('answer_turns', `${column} holds ${messages.length} messages; an answer is one`)
  }
  if (messages[0].role !== 'assistant') {
    throw contentFault('last_not_assistant', `${column} is a ${messages[0].role} turn, not the assistant's`)
  }
  return messages[0].content
}

/** Splits a dialogue into what was asked and the last turn, which has to be the assistant's. */
export function splitLastTurn(messages: Message[], column: string): { prompt: Message[]; answer: string } {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') {
    throw contentFault('last_not_assistant', `${column} ends with a ${last?.role} turn, not the assistant's`)
  }
  return { prompt: messages.slice(0, -1), answer: last.content }
}

/** Prompt and answers of two dialogues that have to differ in the last turn only. */
export function pairOfDialogues(chosen: Message[], rejected: Message[]) {
  if (chosen.length !== rejected.length) {
    const turns = `${chosen.length} and ${rejected.length}`
    throw contentFault('unequal_turns', `chosen and rejected have different numbers of turns: ${turns}`)
  }
  const good = splitLastTurn(chosen, 'chosen')
  const bad = splitLastTurn(rejected, 'rejected')
  const differs = good.prompt.findIndex(
    (message, i) => message.role !== bad.prompt[i].role || message.content !== bad.prompt[i].content,
  )
  if (differs >= 0) {
    throw contentFault(
      'different_prompts',
      `chosen and rejected differ before the answer, in turn ${differs + 1}`,
    )
  }
  return { prompt: good.prompt, chosen: good.answer, rejected: bad.answer }
}

/** The two candidates of a pair and the preference between them. */
export function pairCandidates(chosen: string, rejected: string, row: RawRow, rewardColumn = 'score') {
  const candidates: Candidate[] = [
    { text: chosen, origin: 'chosen' },
    { text: rejected, origin: 'rejected' },
  ]
  for (const candidate of candidates) {
    const reward = row[`${rewardColumn}_${candidate.origin}`]
    if (typeof reward === 'number') candidate.reward = reward
  }
  const preferences: Preference[] = [{ better: 0, worse: 1 }]
  return { candidates, preferences }
}

/** A JSON value's type in the words of a person. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
