/** What a judge is asked, and what it may say. */
import type { Message, Prompt } from '../dialogue.js'

/** Two answers against each other, or one on a scale. */
export const JUDGE_MODES = ['pairwise', 'single'] as const

export type JudgeMode = (typeof JUDGE_MODES)[number]

/** What a server is asked to hold the reply to. */
export const RESPONSE_FORMATS = ['none', 'json_object', 'json_schema'] as const

export type ResponseFormat = (typeof RESPONSE_FORMATS)[number]

export interface Question {
  prompt: Prompt
  /** One, or two in the order in which they are shown. */
  answers: readonly string[]
  /** A good answer to be guided by. */
  reference?: string
}

/** What was said of the answers by their places. */
export type Slot = 'first' | 'second' | 'tie' | 'both_bad'

export type Said = { slot: Slot } | { grade: number }

/** Sets a text between lines that carry a mark. @param name what it is, such as `answer A` */
export type Fence = (name: string, text: string) => string

/** A way to ask a judge, and to read its reply. */
export interface Form {
  messages(question: Question, fence: Fence): Message[]
  /** @throws Unreadable for a reply without exactly one verdict */
  read(reply: string): Said
  /** Said after a reply that could not be read. */
  reminder: string
  /** JSON schema of a reply, for servers that hold their model to one; absent where a reply is no JSON. */
  schema?: object
}

/** A reply that holds no verdict, or several that differ. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}
