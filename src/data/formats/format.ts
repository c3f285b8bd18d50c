/** What a data format is: which columns it needs and how its row becomes prompt, answers and labels. */

import type { Prompt } from '../../dialogue.js'
import { isObject } from '../../files/json.js'
import type { Candidate, Preference } from '../example.js'

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
  | 'true or false'
  | 'lists of strings'

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
}

export interface DataFormat {
  name: string
  /** Columns without which it is not this format. */
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
  'true or false': (value) => labelOf(value) !== undefined,
  'lists of strings': (value) => Array.isArray(value) && value.length > 0 && value.every(isStringArray),
}

export const hasShape = (value: unknown, shape: Shape) => SHAPES[shape](value)

/** The needed columns that are absent or hold something else. */
export function unmetNeeds(row: RawRow, needs: Record<string, Shape>): string[] {
  return Object.keys(needs).filter((column) => !hasShape(row[column], needs[column]))
}

export const meetsNeeds = (row: RawRow, needs: Record<string, Shape>) => unmetNeeds(row, needs).length === 0

/** Absent, or null as some writers put it. */
export const isAbsent = (row: RawRow, column: string) => row[column] === undefined || row[column] === null

/** A label as JSON, CSV and Parquet write it: true, 1, "True". Undefined for anything else. */
export function labelOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  const text = String(value).trim().toLowerCase()
  if (text === 'true' || text === '1') return true
  return text === 'false' || text === '0' ? false : undefined
}
