/** Checking messages and answers found in a row. */

import { extrasOf, type Message, type Role } from '../../dialogue.js'
import type { AnswerParts, Candidate, Preference } from '../example.js'
import { contentFault, structuralFault } from '../read/row-fault.js'
import { isAbsent, isMissing, type ParsedRow, type RawRow } from './format.js'
import { callTurn, partsOf, readExtras } from './tool-calls.js'
import { typeName, valueName } from './type-name.js'

/** Role names in use -> ours. The second line is ShareGPT's, the third Gemma's, OpenAI's older one and Llama's. */
const SPOKEN: Record<string, Role> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  human: 'user',
  gpt: 'assistant',
  observation: 'tool',
  model: 'assistant',
  function: 'tool',
  ipython: 'tool',
}

/** `User` and `USER` are `user`. */
const ROLES: Record<string, Role> = Object.fromEntries(
  Object.entries(SPOKEN).flatMap(([name, role]) =>
    [name, name[0].toUpperCase() + name.slice(1), name.toUpperCase()].map((form) => [form, role]),
  ),
)

/**
 * Messages from `{role, content}` or `{from, value}`, with the names, tool calls and reasoning that stand beside them.
 * @throws RowFault (structural) for another role or content
 */
export function readMessages(value: unknown, column: string): Message[] {
  return (value as RawRow[]).map((message, i) => readMessage(message, `${column}[${i}]`))
}

function readMessage(message: RawRow, at: string): Message {
  const [role, content] = message.role == null ? ['from', 'value'] : ['role', 'content']
  const name = message[role]
  if (name === 'function_call') return callTurn(message[content], `${at}.${content}`)
  if (typeof name !== 'string' || !Object.hasOwn(ROLES, name)) {
    const found = JSON.stringify(name)?.slice(0, 40)
    throw structuralFault(
      'wrong_type',
      `${at}.${role} is ${found}, not one of ${Object.keys(SPOKEN).join(', ')}`,
    )
  }
  const extras = readExtras(message, at)
  const silent = (extras.tool_calls || extras.reasoning_content !== undefined) && isAbsent(message, content)
  return {
    role: ROLES[name],
    content: silent ? '' : readContent(message[content], `${at}.${content}`),
    ...extras,
  }
}

/** Text, or OpenAI's list of text parts. */
function readContent(content: unknown, at: string): string {
  if (typeof content === 'string') return content
  if (Array.isArray(content) && content.length > 0) {
    return content.map((part) => readPart(part, at)).join('')
  }
  throw structuralFault('wrong_type', `${at} is ${typeName(content)}, not a string`)
}

function readPart(part: unknown, at: string): string {
  const { type, text } = (part ?? {}) as RawRow
  if (type === 'text' && typeof text === 'string') return text
  throw structuralFault('wrong_type', `${at} holds a part of type ${JSON.stringify(type)}; only text is read`)
}

/** The one assistant message that answers a prompt: a message, or a list of one. */
export function readAnswer(value: unknown, column: string): AnswerParts {
  const messages = Array.isArray(value) ? readMessages(value, column) : [readMessage(value as RawRow, column)]
  if (messages.length !== 1) {
    throw contentFault('answer_turns', `${column} holds ${messages.length} messages; an answer is one`)
  }
  if (messages[0].role !== 'assistant') {
    throw contentFault('last_not_assistant', `${column} is a ${messages[0].role} turn, not the assistant's`)
  }
  return partsOf(messages[0])
}

export const readTextAnswer = (value: unknown, column: string): string =>
  textAlone(readAnswer(value, column), column)

/** An answer that is text alone. @throws RowFault for one with calls or reasoning, which the column's format has no place for */
export function textAlone({ text, tool_calls, reasoning_content }: AnswerParts, column: string): string {
  if (tool_calls === undefined && reasoning_content === undefined) return text
  throw structuralFault(
    'wrong_type',
    `${column} has tool calls or reasoning, which only message pairs hold: write the row with prompt, chosen and rejected`,
  )
}

const LEFT_OUT = 'columns: {system: null} leaves the column out'

/**
 * Puts the row's `system` text, if there is any, in front of a dialogue that has none.
 * @throws RowFault (structural) for a `system` that is no text, or says otherwise than the dialogue's own
 */
export function withSystem(row: RawRow, messages: Message[]): Message[] {
  const { system } = row
  if (system === undefined || system === null || system === '') return messages
  if (typeof system !== 'string')
    throw structuralFault('wrong_type', `system is ${typeName(system)}, not a string; ${LEFT_OUT}`)
  const [first] = messages
  if (first?.role !== 'system') return [{ role: 'system', content: system }, ...messages]
  if (first.content.trim() === system.trim()) return messages
  throw structuralFault('two_systems', `system and the dialogue's own system turn differ; ${LEFT_OUT}`)
}

/** The empty prompt of bare text. @throws RowFault (structural) for a `system`, which it has no place for */
export function noPrompt({ system }: RawRow): '' {
  if (system === undefined || system === null || system === '') return ''
  throw structuralFault(
    'wrong_type',
    `there is a system, and no prompt that it could stand before; ${LEFT_OUT}`,
  )
}

/** Splits a dialogue into what was asked and the last turn, which has to be the assistant's. */
export function splitLastTurn(
  messages: Message[],
  column: string,
): { prompt: Message[]; answer: AnswerParts } {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') {
    throw contentFault('last_not_assistant', `${column} ends with a ${last?.role} turn, not the assistant's`)
  }
  return { prompt: messages.slice(0, -1), answer: partsOf(last) }
}

const sameMessage = (a: Message, b: Message) =>
  a.role === b.role && a.content === b.content && JSON.stringify(extrasOf(a)) === JSON.stringify(extrasOf(b))

/** Prompt and answers of two dialogues that have to differ in the last turn only. */
export function pairOfDialogues(chosen: Message[], rejected: Message[]) {
  if (chosen.length !== rejected.length) {
    const turns = `${chosen.length} and ${rejected.length}`
    throw contentFault('unequal_turns', `chosen and rejected have different numbers of turns: ${turns}`)
  }
  const good = splitLastTurn(chosen, 'chosen')
  const bad = splitLastTurn(rejected, 'rejected')
  const differs = good.prompt.findIndex((message, i) => !sameMessage(message, bad.prompt[i]))
  if (differs >= 0) {
    throw contentFault(
      'different_prompts',
      `chosen and rejected differ before the answer, in turn ${differs + 1}`,
    )
  }
  return { prompt: good.prompt, chosen: good.answer, rejected: bad.answer }
}

const asParts = (answer: string | AnswerParts): AnswerParts =>
  typeof answer === 'string' ? { text: answer } : answer

/** The two candidates of a pair and the preference between them. */
export function pairCandidates(
  chosen: string | AnswerParts,
  rejected: string | AnswerParts,
  row: RawRow,
  rewardColumn = 'score',
) {
  const candidates: Candidate[] = [
    { ...asParts(chosen), origin: 'chosen' },
    { ...asParts(rejected), origin: 'rejected' },
  ]
  for (const candidate of candidates) {
    const column = `${rewardColumn}_${candidate.origin}`
    const reward = row[column]
    if (isMissing(reward)) continue
    candidate.reward = readNumber(reward, column)
  }
  const preferences: Preference[] = [{ better: 0, worse: 1 }]
  return { candidates, preferences }
}

/** A number, or the text of one as CSV has it. */
export function readNumber(value: unknown, column: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw structuralFault('wrong_type', `${column} is ${valueName(value)}, not a number`)
}

/** A row with one answer and nothing to compare it to. */
export const oneAnswer = (prompt: ParsedRow['prompt'], answer: string | AnswerParts): ParsedRow => ({
  prompt,
  candidates: [asParts(answer)],
  preferences: [],
})

export { NOT_TEXT, typeName, valueName } from './type-name.js'
