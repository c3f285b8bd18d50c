/** One pairing to a verdict: the question, the reply, a second request where it can't be read, the row. */
import { type Message, promptKey } from '../dialogue.js'
import { dialogueText } from '../grading/dialogue-text.js'
import { fenceWith, markOf } from '../grading/fence.js'
import {
  type Form,
  type JudgeMode,
  type Question,
  type Said,
  type Slot,
  Unreadable,
} from '../grading/types.js'
import { goldOf } from '../verdicts/gold.js'
import type { Outcome, VerdictRow } from '../verdicts/types.js'
import type { Correspondence } from './correspondence.js'
import { costOf, type Prices } from './cost.js'
import type { Pairing } from './pairings.js'
import type { Reply } from './replies.js'

/** Who judges, and how. */
export interface Bench {
  form: Form
  mode: JudgeMode
  /** Shows the item's reference where it has one. */
  guided: boolean
  rater: string
  /** SHA-256 of template and settings. */
  settings: string
  prices?: Prices
  /** Of the file of replies. */
  secret: string
}

type Ask = Pick<Correspondence, 'ask'>

interface Heard {
  said?: Said
  /** Why there is no verdict. */
  fault?: string
  replies: Reply[]
}

/** The questions of a pairing: one for both answers in their order, or one for each. */
export function questionsOf(
  { item, a, b, shown }: Pairing,
  { mode, guided }: Pick<Bench, 'mode' | 'guided'>,
): Question[] {
  const { prompt, reference } = item
  const guide = guided && reference !== undefined ? { reference } : {}
  const texts = [a.text, b.text]
  if (mode === 'single') return texts.map((text) => ({ prompt, answers: [text], ...guide }))
  return [{ prompt, answers: shown === 'ab' ? texts : texts.toReversed(), ...guide }]
}

/** What the judge is sent for a question. */
export function messagesOf(question: Question, form: Form, secret: string): Message[] {
  const { prompt, answers, reference } = question
  const texts = [dialogueText(prompt), ...answers, ...(reference === undefined ? [] : [reference])]
  return form.messages(question, fenceWith(markOf(secret, texts)))
}

/**
 * The judge's verdict on a pairing, `error` where it gives none. Equal answers are a tie that nobody is asked for.
 * @throws as `Correspondence.ask`
 */
export async function judgePairing(
  judge: Ask,
  pairing: Pairing,
  bench: Bench,
  signal?: AbortSignal,
): Promise<VerdictRow> {
  const same = pairing.a.text === pairing.b.text
  const heard = same
    ? []
    : await Promise.all(questionsOf(pairing, bench).map((question) => hear(judge, question, bench, signal)))
  return {
    ...rowHead(pairing, bench),
    ...(same ? { verdict: 'tie', comment: 'equal answers: not asked' } : verdictOf(heard, pairing.shown)),
    ...spending(
      heard.flatMap(({ replies }) => replies),
      bench.prices,
    ),
  }
}

/** A row that says why no verdict came. */
export const errorRow = (pairing: Pairing, bench: Bench, reason: string): VerdictRow => ({
  ...rowHead(pairing, bench),
  verdict: 'error',
  comment: reason,
  at: new Date().toISOString(),
})

const rowHead = ({ item, a, b, shown }: Pairing, { rater, settings }: Bench) => ({
  item: item.item,
  prompt: promptKey(item.prompt),
  a: a.answer,
  b: b.answer,
  shown,
  rater,
  kind: 'judge' as const,
  systems: [a.system, b.system] as const,
  settings,
  ...goldOf(item, a, b),
})

/** Asks; a reply that can't be read is sent back once, with a word on what was expected. */
async function hear(
  judge: Ask,
  question: Question,
  { form, secret }: Bench,
  signal?: AbortSignal,
): Promise<Heard> {
  let messages = messagesOf(question, form, secret)
  const replies: Reply[] = []
  let fault = ''
  for (let attempt = 0; attempt < 2; attempt++) {
    const reply = await judge.ask(messages, form.schema, signal)
    replies.push(reply)
    if (reply.refusal !== undefined || reply.finish === 'content_filter')
      return { fault: `refused: ${reply.refusal ?? 'stopped by a content filter'}`, replies }
    try {
      return { said: form.read(reply.text), replies }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      fault = `${error.message}${reply.finish === 'length' ? ', cut at judge_max_tokens' : ''}`
    }
    messages = [
      ...messages,
      { role: 'assistant', content: reply.text.trim() === '' ? '(nothing)' : reply.text },
      { role: 'user', content: form.reminder },
    ]
  }
  return { fault, replies }
}

const OUTCOMES: Record<VerdictRow['shown'], Record<Slot, Outcome>> = {
  ab: { first: 'a', second: 'b', tie: 'tie', both_bad: 'both_bad' },
  ba: { first: 'b', second: 'a', tie: 'tie', both_bad: 'both_bad' },
}

function verdictOf(
  heard: readonly Heard[],
  shown: VerdictRow['shown'],
): Pick<VerdictRow, 'verdict' | 'grade' | 'comment'> {
  const fault = heard.find((one) => one.said === undefined)?.fault
  if (fault !== undefined) return { verdict: 'error', comment: fault }
  const [first, second] = heard.map(({ said }) => said as Said)
  if ('slot' in first) return { verdict: OUTCOMES[shown][first.slot] }
  const grade = [first.grade, (second as { grade: number }).grade] as const
  return { verdict: grade[0] === grade[1] ? 'tie' : grade[0] > grade[1] ? 'a' : 'b', grade }
}

function spending(
  replies: readonly Reply[],
  prices?: Prices,
): Pick<VerdictRow, 'milliseconds' | 'cost' | 'at'> {
  const at = replies.at(-1)?.at ?? new Date().toISOString()
  const milliseconds = replies.reduce((sum, reply) => sum + reply.milliseconds, 0)
  const cost = prices && replies.reduce((sum, { tokens }) => sum + costOf(tokens, prices), 0)
  return { milliseconds, ...(cost !== undefined && { cost }), at }
}
