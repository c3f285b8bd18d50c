/** What a data format is: which columns it needs and how its row becomes prompt, answers and labels. */
import type { Candidate, Preference, Prompt } from '../example.js'

export type RawRow = Record<string, unknown>

/** What a column has to hold for a format to fit. */
export type Shape = 'string' | 'strings' | 'messages' | 'numbers' | 'string or messages'

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

/** Looks like messages; their roles and contents are checked when they are read. */
const isMessages = (value: unknown) =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((item) => item !== null && typeof item === 'object' && 'role' in item)

const SHAPES: Record<Shape, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  strings: isStringArray,
  messages: isMessages,
  numbers: (value) => Array.isArray(value) && value.every((item) => typeof item === 'number'),
  'string or messages': (value) => typeof value === 'string' || isMessages(value),
}

export const hasShape = (value: unknown, shape: Shape) => SHAPES[shape](value)

/** The needed columns that are absent or hold something else. */
export function unmetNeeds(row: RawRow, needs: Record<string, Shape>): string[] {
  return Object.keys(needs).filter((column) => !hasShape(row[column], needs[column]))
}

export const meetsNeeds = (row: RawRow, needs: Record<string, Shape>) => unmetNeeds(row, needs).length === 0

/** Absent, or null as some writers put it. */
export const isAbsent = (row: RawRow, column: string) => row[column] === undefined || row[column] === null
