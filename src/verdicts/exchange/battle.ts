/** One verdict as other tools write it, before items and answers have their hashes. */
import type { Prompt } from '../../dialogue.js'
import type { Outcome, RaterKind } from '../types.js'

export interface Battle {
  /** The row's own name of its question; made of the prompt where it has none. */
  item?: string
  /** Left out where the file names its questions only. */
  prompt?: Prompt
  /** The systems in the order in which they were shown. */
  systems: readonly [first: string, second: string]
  texts?: readonly [first: string, second: string]
  /** In terms of first and second. */
  verdict: Outcome | 'error'
  rater: string
  kind: RaterKind
  grade?: readonly [first: number, second: number]
  source?: string
  milliseconds?: number
  cost?: number
  comment?: string
  gold?: Outcome
  /** ISO 8601. */
  at?: string
}

const WORDS: Record<string, Outcome | 'error'> = {
  a: 'a',
  b: 'b',
  model_a: 'a',
  model_b: 'b',
  model_1: 'a',
  model_2: 'b',
  '1': 'a',
  '2': 'b',
  first: 'a',
  second: 'b',
  left: 'a',
  right: 'b',
  tie: 'tie',
  draw: 'tie',
  '0': 'tie',
  both_bad: 'both_bad',
  bothbad: 'both_bad',
  'tie (bothbad)': 'both_bad',
  'tie (both bad)': 'both_bad',
  error: 'error',
}

/** A verdict as Arena, MT-bench and people write it. @returns undefined for any other word */
export const verdictOf = (value: unknown): Outcome | 'error' | undefined => {
  const word = String(value ?? '')
    .trim()
    .toLowerCase()
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined
}

/** No verdict is of the year 5138: from here on a number counts milliseconds. */
const MILLISECONDS = 1e11

/** Seconds since 1970 (Arena, MT-bench), milliseconds, or a date as text. @returns undefined for what is neither */
export function timeOf(value: unknown): string | undefined {
  const count = typeof value === 'number' ? value : Number(String(value ?? '').trim() || Number.NaN)
  const date = Number.isFinite(count)
    ? new Date(count < MILLISECONDS ? count * 1000 : count)
    : new Date(String(value))
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
