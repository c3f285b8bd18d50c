/** What a data format is: which columns it needs and how its row becomes prompt, answers and labels. */

import type { Prompt } from '../../dialogue.js'
import { isObject } from '../../files/json.js'
import type { Candidate, Preference, Vote } from '../example.js'

export type RawRow = Record<string, unknown>

/** What a column has to hold for a format to fit. */
export type Shape =
  | 'string'
  | 'strings'
  | 'message'
  | 'messages'
  | 'numbers'
  | 'string or messages'
  | 'an object with messages'
  | 'lists of strings'
  | 'strings or messages'
  | 'message or string'
  | 'objects with texts'
  | 'a map of texts'
  | 'anything'

export interface FormatOptions {
  /** HH transcripts: `full` keeps every paragraph, `legacy` drops paragraphs without a role marker. */
  splitter: 'full' | 'legacy'
  /** Column that holds the reward(s), instead of the usual names. */
  rewardColumn?: string
}

/** An example without its place: `id` only where the row has one. */
export interface ParsedRow {
  prompt: Prompt
  candidates: Candidate[]
  preferences: Preference[]
  /** As of an example. */
  votes?: Vote[]
}

export interface DataFormat {
  name: string
  /** Columns without which it is not this format; `a|b`: one of them. */
  needs: Record<string, Shape>
  /** Why a row with these columns may still not be this format, for the error message. */
  speaksAgainst?: string
  /** Whether the row is in this format; formats are asked in the order of the registry. */
  detect(row: RawRow): boolean
  /** @throws RowFault */
  toExample(row: RawRow, options: FormatOptions): ParsedRow
}

const isStringArray = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')

/** Looks like a message: `role` and `content`, or `from` and `value`. What they hold is checked when they are read. */
const isMessage = (value: unknown) => isObject(value) && ('role' in value || 'from' in value)

const isMessages = (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isMessage)

const SHAPES: Record<Shape, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  strings: isStringArray,
  message: isMessage,
  messages: isMessages,
  numbers: (value) => Array.isArray(value) && value.every((item) => typeof item === 'number'),
  'string or messages': (value) => typeof value === 'string' || isMessages(value),
  'an object with messages': (value) => isObject(value) && isMessages(value.messages),
  'lists of strings': (value) => Array.isArray(value) && value.length > 0 && value.every(isStringArray),
  'strings or messages': (value) => isStringArray(value) || isMessages(value),
  'message or string': (value) => typeof value === 'string' || isMessage(value) || isMessages(value),
  'objects with texts': (value) =>
    Array.isArray(value) && value.length > 0 && value.every((item) => textKey(item) !== undefined),
  'a map of texts': (value) =>
    isObject(value) &&
    Object.keys(value).length > 1 &&
    Object.values(value).every((item) => typeof item === 'string' || textKey(item) !== undefined),
  anything: (value) => value !== undefined,
}

/** Where an object of a list of answers has its text. */
export const textKey = (value: unknown): string | undefined =>
  isObject(value) ? TEXT_KEYS.find((key) => typeof value[key] === 'string') : undefined

const TEXT_KEYS = [
  'text',
  'answer',
  'response',
  'content',
  'completion',
  'output',
  'generation',
  'summary',
  'value',
]

export const hasShape = (value: unknown, shape: Shape) => SHAPES[shape](value)

/** The needed columns that are absent or hold something else. */
export function unmetNeeds(row: RawRow, needs: Record<string, Shape>): string[] {
  return Object.keys(needs).filter((names) => columnOf(row, names, needs[names]) === undefined)
}

/** The first of the columns `a|b|c` that holds what is wanted. */
export const columnOf = (row: RawRow, names: string, shape: Shape): string | undefined =>
  names.split('|').find((column) => hasShape(row[column], shape))

export const meetsNeeds = (row: RawRow, needs: Record<string, Shape>) => unmetNeeds(row, needs).length === 0

/** Absent, or null as some writers put it. */
export const isAbsent = (row: RawRow, column: string) => row[column] === undefined || row[column] === null

/** A number that is not there: null, an empty cell, or NaN as Python writes it. */
export const isMissing = (value: unknown) =>
  value === undefined || value === null || Number.isNaN(value) || /^\s*(nan)?\s*$/i.test(String(value))

/** A label as JSON, CSV and Parquet write it: true, 1, "True", "1.0". Undefined for anything else. */
export function labelOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  const text = typeof value === 'object' ? '' : String(value).trim().toLowerCase()
  if (/^(true|1(\.0+)?)$/.test(text)) return true
  return /^(false|0(\.0+)?)$/.test(text) ? false : undefined
}
