/** metrics.jsonl: one JSON line per row, appended while training; a torn last line is no damage. */
import * as fs from 'node:fs'
import { DiskStorage } from '../checkpoint/files/storage.js'
import { replaceFile } from '../checkpoint/files/write-file.js'
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

/** Rows of a text; only a line that ends with a line feed is whole. */
export function parseMetrics(text: string): MetricsFile {
  const lines = text.split('\n')
  const torn = lines.pop() !== ''
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
export function readMetrics(path: string): MetricsFile {
  if (!fs.existsSync(path)) return { rows: [], torn: false, badLines: [] }
  return parseMetrics(fs.readFileSync(path, 'utf8'))
}

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
  const fd = fs.openSync(path, 'a')
  return {
    append: (row) => {
      const line = Buffer.from(`${formatRow(row)}\n`)
      for (let done = 0; done < line.length; ) done += fs.writeSync(fd, line, done)
    },
    sync: () => fs.fsyncSync(fd),
    close: () => fs.closeSync(fd),
  }
}

function repair(path: string, resumeStep: number): void {
  const { rows, torn, badLines } = readMetrics(path)
  const kept = rows.filter(({ step }) => step <= resumeStep)
  if (!torn && badLines.length === 0 && kept.length === rows.length) return
  replaceFile(new DiskStorage(), path, [Buffer.from(kept.map((row) => `${formatRow(row)}\n`).join(''))])
}
