/** How a question of the starter world becomes a dialogue, and back. */
import type { Message } from '../dialogue.js'
import { usageError } from '../errors.js'
import { type Fact, factKey, fill, TOPICS, topicOf } from './topics.js'

const OPENERS = ['', 'Hi! ', 'Hello! ', 'Hey there! ', 'One question: ', 'Good morning! ']
const CLOSERS = ['', ' Thank you.', ' Please be quick.', ' I need to know.']

export const GREETINGS: readonly (readonly [user: string, assistant: string])[] = [
  ['Hi, can you help me?', 'Sure, just ask.'],
  ['Hello, are you there?', 'Yes, what is it?'],
  ['Good morning, I have a question.', 'Good morning, what is it?'],
]

export const isFollowUp = (question: string): boolean => question.startsWith('And ')

/** The final user turn. A question that leans on the turn before takes no opener. */
export function wrapQuestion(question: string, opener: number, closer: number): string {
  return (isFollowUp(question) ? '' : OPENERS[opener]) + question + CLOSERS[closer]
}

/** How many wrappings of a question there are: `[openers, closers]`. */
export const WRAPPINGS = [OPENERS.length, CLOSERS.length] as const

export const questionText = (fact: Fact, phrasing: number): string => {
  const topic = topicOf(fact)
  return fill(topic.questions[phrasing], topic, fact)
}

let stems: Map<string, Fact> | undefined

const stemKey = (question: string, kind: string): string =>
  isFollowUp(question) ? `${kind}: ${question}` : question

/** Every question of the world. @throws Error when two facts are asked with the same words. */
export function questionTable(): ReadonlyMap<string, Fact> {
  if (stems) return stems
  const table = new Map<string, Fact>()
  for (const fact of TOPICS.flatMap((topic) => topic.facts)) {
    for (let i = 0; i < topicOf(fact).questions.length; i++) {
      const question = questionText(fact, i)
      const key = stemKey(question, fact.kind)
      if (table.has(key)) throw new Error(`ambiguous question "${question}" (${factKey(fact)})`)
      table.set(key, fact)
    }
  }
  stems = table
  return table
}

/** The fact that a user turn asks for; `before` is what the turn before asked for. */
function readTurn(text: string, before: Fact | undefined): Fact | undefined {
  const table = questionTable()
  for (const opener of OPENERS) {
    if (!text.startsWith(opener)) continue
    for (const closer of CLOSERS) {
      if (!text.endsWith(closer)) continue
      const question = text.slice(opener.length, text.length - closer.length)
      if (isFollowUp(question) && (opener !== '' || before === undefined)) continue
      const fact = table.get(stemKey(question, before?.kind ?? ''))
      if (fact) return fact
    }
  }
  return undefined
}

/**
 * What a prompt asks for, from its text alone.
 * @throws ClhaError when the prompt is not one of this world
 */
export function readPrompt(prompt: readonly Message[]): Fact {
  let asked: Fact | undefined
  for (const [i, message] of prompt.entries()) {
    if (message.role !== (i % 2 === 0 ? 'user' : 'assistant')) throw notOfThisWorld(prompt)
    if (message.role === 'assistant') continue
    const text = message.content.trim()
    const last = i === prompt.length - 1
    if (!last && GREETINGS.some(([user]) => user === text)) continue
    asked = readTurn(text, asked)
    if (!asked) throw notOfThisWorld(prompt)
  }
  if (!asked || prompt.length % 2 === 0) throw notOfThisWorld(prompt)
  return asked
}

const notOfThisWorld = (prompt: readonly Message[]) =>
  usageError(
    `the oracle can't read this prompt: ${JSON.stringify(prompt.at(-1)?.content ?? '')}`,
    'The oracle scores prompts of the starter world only; score others with a reward model or a judge.',
  )
