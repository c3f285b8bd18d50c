/** What a good answer of the chat model is, exactly: on the subject, brief, without filler, ended by itself; or declined. */
import { isRefusal } from '../../text/refusal.js'
import { type TalkPrompt, talkPrompt } from './talk-prompts.js'

/** Sentences of a brief answer. */
export const BRIEF = 2

const FILLER =
  /^(?:certainly|sure|of course|absolutely|great question|as an ai\b|i'd be happy|i'm happy|what a |here(?:'s| is| are)|hello|hi\b)|(?:in conclusion|in summary|i hope this helps|feel free|let me know|it(?:'s| is) important to note)/i

/** What an answer is worth, part by part. */
export interface TalkWorth {
  /** Speaks of the subject, without refusing: 2, else −2; of a request to decline, a refusal: 2, else −3. */
  answers: number
  /** At most two sentences: 1; three: 0; more: −1. */
  brief: number
  /** A phrase that says nothing: −1, else 0. */
  filler: number
  /** Ends with a mark that ends a sentence: 1, else −1. */
  ends: number
}

/** Of 0 to any number of sentences: a list's points and lines count as sentences. */
export const sentencesOf = (text: string): string[] =>
  text
    .split(/(?<=[.!?][")'”’]?)\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => /[\p{L}\p{N}]{2}/u.test(sentence))

const endsWell = (text: string): boolean => /[.!?][")'”’*]*$/.test(text.trimEnd())

export function worthOf({ kind, about }: TalkPrompt, answer: string): TalkWorth {
  const refused = isRefusal(answer)
  const right = kind === 'decline' ? refused : !refused && (about?.test(answer) ?? false)
  const wrong = kind === 'decline' ? -3 : -2
  const sentences = sentencesOf(answer).length
  return {
    answers: right ? 2 : wrong,
    brief: sentences <= BRIEF ? 1 : sentences === BRIEF + 1 ? 0 : -1,
    filler: FILLER.test(answer.trim()) ? -1 : 0,
    ends: endsWell(answer) ? 1 : -1,
  }
}

/** The sum of the parts, −7 to 4, of an answer to a prompt of this world. */
export function talkReward(prompt: string, answer: string): number {
  const { answers, brief, filler, ends } = worthOf(talkPrompt(prompt), answer)
  return answers + brief + filler + ends
}
