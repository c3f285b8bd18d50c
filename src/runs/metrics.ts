/** metrics.jsonl: one JSON line per row, appended while training; a torn last line is no damage. */
import { type LoggedLines, openAppendLog, readLog } from '../files/append-log.js'
import { writeWhole } from '../files/whole.js'
import type { RunWarning } from './run-warning.js'

export const METRICS_FILE = 'metrics.jsonl'

export type MetricValue = number | string | boolean | null | readonly RunWarning[]

/** `step` is the optimizer step the row belongs to; the other keys are metric names as TRL and HF spell them; `warnings` are those that the row raised. */
export interface MetricRow {
  step: number
  [name: string]: MetricValue
}

export interface MetricsFile {
  rows: MetricRow[]
  /** The last line was cut, as by a kill while it was written; it is not among the rows. */
  torn: boolean
  /** Numbers of other lines that are not rows; they are left out. */
  badLines: number[]
}

/** The warnings that a row raised. */
export const warningsOf = ({ warnings }: MetricRow): readonly RunWarning[] =>
  Array.isArray(warnings) ? warnings : []

/** JSON has no NaN, and `null` would hide one. */
const NON_FINITE = new Map<unknown, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

export function formatRow(row: MetricRow): string {
  return JSON.stringify(row, (_, value: unknown) => {
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
  })
}

function parseRow(line: string): MetricRow | undefined {
  try {
    const value = JSON.parse(line, (_, item: unknown) => NON_FINITE.get(item) ?? item) as MetricRow | null
    return typeof value?.step === 'number' ? value : undefined
  } catch {
    return undefined
  }
}

/** Only a line that ends with a line feed is whole. */
function rowsOf({ lines, torn }: LoggedLines): MetricsFile {
  const rows: MetricRow[] = []
  const badLines: number[] = []
  lines.forEach((line, index) => {
    const row = parseRow(line)
    if (row) rows.push(row)
    else badLines.push(index + 1)
  })
  return { rows, torn, badLines }
}

/** A missing file has no rows. */
export const readMetrics = (path: string): MetricsFile => rowsOf(readLog(path))

export interface MetricsWriter {
  /** Appends one line with one write. */
  append(row: MetricRow): void
  /** Puts all rows on the disk; called before a checkpoint, so that none of its rows can be lost. */
  sync(): void
  close(): void
}

/**
 * Opens the file for appending. With `resumeStep`, rows after that step are dropped first, so that each step appears
 * once; a torn last line goes in any case.
 */
export function openMetrics(path: string, resumeStep = Number.POSITIVE_INFINITY): MetricsWriter {
  repair(path, resumeStep)
  const log = openAppendLog(path)
  return { append: (row) => log.append(formatRow(row)), sync: log.sync, close: log.close }
}

function repair(path: string, resumeStep: number): void {
  const { rows, torn, badLines } = readMetrics(path)
  const kept = rows.filter(({ step }) => step <= resumeStep)
  if (!torn && badLines.length === 0 && kept.length === rows.length) return
  writeWhole(path, kept.map((row) => `${formatRow(row)}\n`).join(''))
}
