/** What every data format is read into: a prompt, its answers, and who preferred which. */
import type { Message, Prompt, ToolCall } from '../dialogue.js'

export interface Candidate {
  /** The answer. Literal continuation when the prompt is literal text, else the assistant's content. */
  text: string
  /** Tools that the answer calls. */
  tool_calls?: readonly ToolCall[]
  /** What was thought before the answer. */
  reasoning_content?: string
  /** A reward found in the data, in the unit of whatever made it. */
  reward?: number
  /** Rewards found in several columns, by their names; `reward` is the first of them. */
  rewards?: Readonly<Record<string, number>>
  /** Where the answer came from: `chosen`, `rejected`, a model's name. */
  origin?: string
  /** A person's verdict on this answer alone (unpaired data: KTO, BCO). Absent where answers are compared. */
  desirable?: boolean
}

/** A human preferred candidate `better` to candidate `worse` (indices into `candidates`). */
export interface Preference {
  better: number
  worse: number
}

/** Persons' judgements of a pair, where more is known of them than the preference. */
export interface Vote extends Preference {
  /** How many judged so. */
  count: number
  /** Who, where the data say it. */
  annotator?: string
}

export interface Example {
  /** Unique in a data set: the row's own id, or `<file>:<row>`. */
  id: string
  prompt: Prompt
  candidates: Candidate[]
  preferences: Preference[]
  /**
   * All judgements of the pairs that several people judged, or that somebody known did: minorities and ties too.
   * `preferences` hold what the majority says. Other pairs have the one label that is their preference.
   */
  votes?: Vote[]
  /** Subset name; calibration reports, gates and evaluation are given per source. */
  source: string
  /** Where the row stands. `row` counts from 1. */
  file: string
  row: number
}

/** Whether somebody preferred one of its answers to another. */
export const isLabelled = ({ preferences }: Pick<Example, 'preferences'>): boolean => preferences.length > 0

/** The part of a candidate that was said, thought and called. */
export type AnswerParts = Pick<Candidate, 'text' | 'tool_calls' | 'reasoning_content'>

/** An answer as a turn of its dialogue. */
export function turnOf({ text, tool_calls, reasoning_content }: AnswerParts): Message {
  return {
    role: 'assistant',
    content: text,
    ...(reasoning_content !== undefined && { reasoning_content }),
    ...(tool_calls !== undefined && { tool_calls }),
  }
}

/** An answer as a template takes it: text, or a turn where there is more to it than text. */
export const answerOf = (answer: AnswerParts): string | Message =>
  answer.tool_calls === undefined && answer.reasoning_content === undefined ? answer.text : turnOf(answer)
