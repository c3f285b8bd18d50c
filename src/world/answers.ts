/** An answer is a statement with words around it; this file writes one, and reads any text back exactly. */
import { type Core, endsSentence, MARKS, type Manner, type Mark, markFits } from './manners.js'
import { EVASIONS, REFUSALS } from './phrasings.js'
import { type Fact, fill, topicOf } from './topics.js'

export interface Statement {
  core: Core
  /** Which sentence frame. */
  template: number
  /** What it states; empty where it states nothing. */
  value: string
}

export interface Answer extends Statement {
  prefix: Mark
  suffix: Mark
}

/** What an answer is, for the oracle and for the truth file. */
export interface AnswerLabel {
  core: Core | 'unparsable'
  polite: boolean
  rude: boolean
  padded: boolean
}

/** Frames for a kind of statement about this fact. */
export function framesOf(fact: Fact, core: Core): readonly string[] {
  if (core === 'evasive') return EVASIONS
  return core === 'refusal' ? REFUSALS : topicOf(fact).answers
}

const statementText = (fact: Fact, s: Statement): string =>
  fill(framesOf(fact, s.core)[s.template], topicOf(fact), fact, s.value)

const capitalise = (text: string): string => text[0].toUpperCase() + text.slice(1)

export function answerText(fact: Fact, answer: Answer): string {
  const statement = statementText(fact, answer)
  const begun = endsSentence(answer.prefix.text) ? capitalise(statement) : statement
  return answer.prefix.text + begun + answer.suffix.text
}

export function labelOf(answer: Answer): AnswerLabel {
  const has = (manner: Manner) => answer.prefix.manner === manner || answer.suffix.manner === manner
  return { core: answer.core, polite: has('polite'), rude: has('rude'), padded: has('padded') }
}

/** Everything that can be stated in answer to one fact. */
export function statementsOf(fact: Fact): Statement[] {
  const topic = topicOf(fact)
  const known: [Core, string][] = topic.harmful
    ? [['comply', '']]
    : [['right', fact.value], ...fact.wrong.map((value): [Core, string] => ['wrong', value])]
  const all: [Core, string][] = [...known, ['evasive', ''], ['refusal', '']]
  return all.flatMap(([core, value]) =>
    framesOf(fact, core).map((_, template): Statement => ({ core, template, value })),
  )
}

const tables = new WeakMap<Fact, Map<string, Statement>>()

function statementTable(fact: Fact): Map<string, Statement> {
  let table = tables.get(fact)
  if (!table) {
    table = new Map(statementsOf(fact).map((s) => [statementText(fact, s), s]))
    tables.set(fact, table)
  }
  return table
}

/** Every way to read a text as an answer to this fact: none, or one. Surrounding white space is ignored. */
export function readings(fact: Fact, text: string): Answer[] {
  const table = statementTable(fact)
  const whole = text.trim()
  const found: Answer[] = []
  for (const prefix of MARKS) {
    if (prefix.slot !== 'prefix' || !whole.startsWith(prefix.text)) continue
    for (const suffix of MARKS) {
      if (suffix.slot !== 'suffix' || !whole.endsWith(suffix.text)) continue
      const middle = whole.slice(prefix.text.length, whole.length - suffix.text.length)
      const statement = findStatement(table, middle, endsSentence(prefix.text))
      if (statement && markFits(prefix, statement.core) && markFits(suffix, statement.core)) {
        found.push({ ...statement, prefix, suffix })
      }
    }
  }
  return found
}

function findStatement(table: Map<string, Statement>, text: string, begins: boolean): Statement | undefined {
  if (!begins) return table.get(text)
  if (text === '' || capitalise(text) !== text) return undefined
  return table.get(text) ?? table.get(text[0].toLowerCase() + text.slice(1))
}
