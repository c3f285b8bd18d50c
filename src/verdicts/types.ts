/** A comparison: items with the answers of several systems, and every verdict that was given on two of them. */
import type { Prompt } from '../dialogue.js'

/** What a rater says of answers `a` and `b`, wherever they stood on the screen. */
export const VERDICTS = ['a', 'b', 'tie', 'both_bad', 'error', 'skip', 'undo'] as const

/**
 * `error`: asked, and no verdict came (refusal, timeout, prose); never a tie. `skip`: the rater passed. `undo`: the
 * rater takes back the last verdict on this item.
 */
export type Verdict = (typeof VERDICTS)[number]

/** A verdict that says which answer is better. */
export type Outcome = 'a' | 'b' | 'tie' | 'both_bad'

export const RATER_KINDS = ['person', 'judge', 'reward', 'rule'] as const

export type RaterKind = (typeof RATER_KINDS)[number]

export interface VerdictRow {
  /** The item that was judged, as the comparison names it. */
  item: string
  /** `promptKey` of its prompt. */
  prompt: string
  /** `answerHash` of the two answers. */
  a: string
  b: string
  /** Which answer stood first. */
  shown: 'ab' | 'ba'
  verdict: Verdict
  /** Grades or rewards of `a` and `b`, on the rater's own scale. */
  grade?: readonly [a: number, b: number]
  /** Name of the person, judge, reward model or rule. */
  rater: string
  kind: RaterKind
  /** The systems that gave `a` and `b`. */
  systems: readonly [a: string, b: string]
  /** SHA-256 of the prompt template and settings that the rater was asked with. */
  settings: string
  milliseconds?: number
  /** In the currency of the prices that the config gives. */
  cost?: number
  comment?: string
  /** What the verdict should have been, where that is known: a test of the rater. */
  gold?: Outcome
  /** When it was given, ISO 8601. */
  at: string
}

export interface ComparedAnswer {
  system: string
  /** `answerHash` of the text; where the text is not known, of `<item>/<system>`. */
  answer: string
  text?: string
}

export interface ComparisonItem {
  /** Unique and stable: the row's own id, or the beginning of the prompt's key. */
  item: string
  prompt: Prompt
  source?: string
  answers: readonly ComparedAnswer[]
  /** A good answer, for judges that are guided by one. */
  reference?: string
  /** Of the first two answers, where it is known which is better: a test of raters. */
  gold?: Outcome
}

/** The first line of the file. A file is of this comparison where the hashes are equal. */
export interface ComparisonHeader {
  kind: 'clha comparison'
  version: 1
  /** What is compared, for people. */
  name?: string
  /** Number of items; their lines follow the header. */
  items: number
  /** SHA-256 of the lines of the items. */
  hash: string
}

export interface Comparison {
  path: string
  header: ComparisonHeader
  items: readonly ComparisonItem[]
  /** In the order in which they were given, undone ones and their `undo` as well. */
  rows: readonly VerdictRow[]
  /** The last line was cut by a kill or a full disk; it is not among the rows. */
  torn: boolean
}
