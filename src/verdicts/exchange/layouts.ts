/** The layouts of verdicts that are imported: rows of pairs (CSV, JSON lines), Chatbot Arena's, and MT-bench's two. */

import type { RawRow } from '../../data/formats/format.js'
import { contentFault, structuralFault } from '../../data/read/row-fault.js'
import { type Message, type Prompt, promptText } from '../../dialogue.js'
import { isObject } from '../../files/json.js'
import { turned } from '../standing.js'
import type { Outcome, RaterKind } from '../types.js'
import { RATER_KINDS } from '../types.js'
import { type Battle, timeOf, verdictOf } from './battle.js'

export interface Layout {
  name: 'pairs' | 'arena' | 'mt_bench'
  /** Columns that rows of it have; `a|b`: one of them. */
  needs: readonly string[]
  /** A row of MT-bench's judge holds two verdicts. @throws RowFault */
  battles(row: RawRow): Battle[]
}

/** The first of the columns that holds something. */
const pick = (row: RawRow, ...names: string[]): unknown =>
  names.map((name) => row[name]).find((value) => value !== undefined && value !== null && value !== '')

const text = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : undefined

function needed(row: RawRow, ...names: string[]): string {
  const found = text(pick(row, ...names))
  if (found !== undefined) return found
  throw structuralFault('wrong_type', `${names.join(' or ')} is missing, or is no text`)
}

function verdict(row: RawRow, ...names: string[]): Outcome | 'error' {
  const value = pick(row, ...names)
  const found = verdictOf(value)
  if (found) return found
  throw contentFault('bad_verdict', `${names[0]} is ${JSON.stringify(value) ?? 'missing'}: no verdict`)
}

function number(row: RawRow, ...names: string[]): number | undefined {
  const value = pick(row, ...names)
  if (value === undefined) return undefined
  const found = Number(value)
  if (Number.isFinite(found)) return found
  throw structuralFault('wrong_type', `${names[0]} is ${JSON.stringify(value)}, not a number`)
}

/** Who gave the verdict: a name, or MT-bench's `[model, prompt]`. */
function raterOf(row: RawRow): { rater: string; kind: RaterKind } {
  const judge = pick(row, 'rater', 'judge', 'annotator', 'annotator_id', 'user')
  const given = RATER_KINDS.find((kind) => kind === row.kind)
  if (Array.isArray(judge)) return { rater: judge.map(String).join(' '), kind: given ?? 'judge' }
  return { rater: text(judge) ?? 'unknown', kind: given ?? 'person' }
}

const MODELS = [
  ['system_a', 'model_a', 'model_1'],
  ['system_b', 'model_b', 'model_2'],
] as const

const systemsOf = (row: RawRow): [string, string] => [needed(row, ...MODELS[0]), needed(row, ...MODELS[1])]

/** What every layout may have beside its verdict. */
function common(row: RawRow): Omit<Battle, 'verdict'> {
  const at = timeOf(pick(row, 'at', 'tstamp', 'timestamp', 'created'))
  const source = text(pick(row, 'source', 'category', 'subset'))
  const comment = text(row.comment)
  const milliseconds = number(row, 'milliseconds')
  return {
    systems: systemsOf(row),
    ...raterOf(row),
    ...(source !== undefined && { source }),
    ...(comment !== undefined && { comment }),
    ...(milliseconds !== undefined && { milliseconds }),
    ...(at !== undefined && { at }),
  }
}

/** A row a verdict: prompt, two answers, two systems, who won. */
const pairs: Layout = {
  name: 'pairs',
  needs: ['prompt|instruction|question', 'winner|verdict|preference', 'system_a|model_a', 'system_b|model_b'],
  battles(row) {
    const id = text(pick(row, 'item', 'question_id', 'id'))
    const prompt = pick(row, 'prompt', 'instruction', 'question')
    const answers = [pick(row, 'answer_a', 'response_a', 'a'), pick(row, 'answer_b', 'response_b', 'b')]
    const texts = answers.map(text)
    const cost = number(row, 'cost')
    const gold = verdictOf(row.gold)
    const battle: Battle = {
      ...common(row),
      ...(id !== undefined && { item: id }),
      prompt: Array.isArray(prompt) ? messagesOf(prompt) : needed(row, 'prompt', 'instruction', 'question'),
      ...(texts[0] !== undefined && texts[1] !== undefined && { texts: [texts[0], texts[1]] as const }),
      verdict: verdict(row, 'winner', 'verdict', 'preference'),
      ...(cost !== undefined && { cost }),
      ...(gold !== undefined && gold !== 'error' && { gold }),
    }
    return [row.shown === 'ba' ? exchanged(battle) : battle]
  },
}

/** Chatbot Arena's battles, and MT-bench's by people: two whole dialogues. */
const arena: Layout = {
  name: 'arena',
  needs: ['conversation_a', 'conversation_b', 'winner', 'model_a', 'model_b'],
  battles(row) {
    const [a, b] = [dialogue(row, 'conversation_a'), dialogue(row, 'conversation_b')]
    if (promptText(a.prompt) !== promptText(b.prompt))
      throw contentFault('two_prompts', 'the two dialogues begin with different prompts')
    return [
      {
        ...common(row),
        ...idOf(row),
        prompt: a.prompt,
        texts: [a.answer, b.answer],
        verdict: verdict(row, 'winner'),
      },
    ]
  },
}

/** MT-bench's pairwise judgments: two games with the answers exchanged; questions and answers lie in files of their own. */
const mtBench: Layout = {
  name: 'mt_bench',
  needs: ['g1_winner', 'g2_winner', 'model_1', 'model_2', 'question_id'],
  battles(row) {
    const first = { ...common(row), ...idOf(row), verdict: verdict(row, 'g1_winner') }
    const second = { ...common(row), ...idOf(row), verdict: verdict(row, 'g2_winner') }
    return [first, exchanged(second)]
  },
}

export const LAYOUTS: readonly Layout[] = [mtBench, arena, pairs]

/** The same verdict with the answers shown the other way round. */
function exchanged(battle: Battle): Battle {
  const { systems, texts, grade, gold } = battle
  return {
    ...battle,
    systems: [systems[1], systems[0]],
    verdict: turned(battle.verdict),
    ...(texts && { texts: [texts[1], texts[0]] as const }),
    ...(grade && { grade: [grade[1], grade[0]] as const }),
    ...(gold && { gold: turned(gold) }),
  }
}

/** The second turn of MT-bench is a question of its own. */
function idOf(row: RawRow): { item: string } {
  const id = needed(row, 'question_id')
  const turn = number(row, 'turn') ?? 1
  return { item: turn > 1 ? `${id}/${turn}` : id }
}

/** All up to the first answer is the prompt; where more was said, the answer is the whole rest, with its roles. */
function dialogue(row: RawRow, column: string): { prompt: Prompt; answer: string } {
  const value = row[column]
  if (!Array.isArray(value)) throw structuralFault('wrong_type', `${column} is no list of messages`)
  const messages = messagesOf(value)
  const at = messages.findIndex(({ role }) => role === 'assistant')
  if (at < 1) throw contentFault('no_answer', `${column} holds no answer to a prompt`)
  const rest = messages.slice(at)
  return { prompt: messages.slice(0, at), answer: rest.length === 1 ? rest[0].content : promptText(rest) }
}

function messagesOf(value: readonly unknown[]): Message[] {
  return value.map((message) => {
    const { role, content } = isObject(message) ? message : {}
    const known = ['system', 'user', 'assistant'].find((name) => name === role)
    if (known && typeof content === 'string') return { role: known as Message['role'], content }
    throw structuralFault('wrong_type', 'a message needs a role (system, user, assistant) and content')
  })
}
