/** Preference files in, examples out, with a report that accounts for every row. */
import { ClhaError, usageError } from '../errors.js'
import { EXIT } from '../exit-codes.js'
import type { Example } from './example.js'
import { formatByName } from './formats/registry.js'
import { promptKey } from './prompt-key.js'
import { listFiles, readPieces, sha256File } from './read-files.js'
import type { RawPiece } from './read-lines.js'
import { type RowOptions, readRow } from './read-row.js'
import { formatFault, formatFaults, type ReadFault, RowFault } from './row-fault.js'

export type { ReadFault } from './row-fault.js'

export interface ReadOptions {
  /** Unreadable rows that are tolerated: a number, or true for any. Default: none. */
  skipBad?: number | boolean
  /** Share of rows that may be dropped for their content before reading stops. Default 0.05. */
  maxDropped?: number
  /** Answers that a row needs: 2 (default), 1 for supervised fine-tuning, or 0 where prompts alone will do. */
  minCandidates?: 0 | 1 | 2
  /** HH transcripts: keep every paragraph (default), or drop those without a role marker as the reference does. */
  splitter?: 'full' | 'legacy'
  /** Read every row in this format instead of recognising it. */
  format?: string
  /** Our column name -> the name that it has in the file. */
  columns?: Record<string, string>
  /** Column of a list's rewards; for pairs the stem of `<stem>_chosen` and `<stem>_rejected` (default `score`). */
  rewardColumn?: string
  /** Stop after this many examples. */
  limit?: number
}

/** `kept + faults.length` is always `rows`. */
export interface ReadReport {
  files: { file: string; sha256: string; rows: number; kept: number }[]
  /** Rows looked at; blank lines are none. */
  rows: number
  kept: number
  faults: ReadFault[]
  /** Examples kept, by format and by source. */
  formats: Record<string, number>
  sources: Record<string, number>
  /** Kept examples whose prompt an earlier one has already. */
  duplicatePrompts: number
}

const LISTED = 20

interface Reading {
  examples: Example[]
  report: ReadReport
  prompts: Set<string>
  /** Explicit id -> where it stands. */
  ids: Map<string, string>
  structural: number
  tolerated: number
}

/**
 * Reads files and folders of .jsonl and .json (also .gz) into examples, in file order.
 * Unreadable rows are an error unless `skipBad`; rows without content are dropped and listed up to `maxDropped`.
 * @throws ClhaError (usage) naming file, row and reason
 */
export async function readExamples(
  paths: string | readonly string[],
  options: ReadOptions = {},
): Promise<{ examples: Example[]; report: ReadReport }> {
  const { skipBad = false, maxDropped = 0.05, limit = Number.POSITIVE_INFINITY } = options
  const rowOptions: RowOptions = {
    splitter: options.splitter ?? 'full',
    rewardColumn: options.rewardColumn,
    minCandidates: options.minCandidates ?? 2,
    columns: options.columns ?? {},
    forced: options.format === undefined ? undefined : formatByName(options.format),
  }
  const reading: Reading = {
    examples: [],
    report: { files: [], rows: 0, kept: 0, faults: [], formats: {}, sources: {}, duplicatePrompts: 0 },
    prompts: new Set(),
    ids: new Map(),
    structural: 0,
    tolerated: typeof skipBad === 'number' ? skipBad : skipBad ? Number.POSITIVE_INFINITY : 0,
  }
  const files = await listFiles(paths)
  for (const file of files) {
    if (reading.examples.length >= limit) break
    await readFile(file, reading, rowOptions, limit)
  }
  if (reading.structural > reading.tolerated) throw tooManyBad(reading)
  checkDropped(reading.report, maxDropped, rowOptions.minCandidates)
  return { examples: reading.examples, report: reading.report }
}

async function readFile(file: string, reading: Reading, options: RowOptions, limit: number): Promise<void> {
  const { report } = reading
  const entry = { file, sha256: await sha256File(file), rows: 0, kept: 0 }
  report.files.push(entry)
  for await (const piece of readPieces(file)) {
    entry.rows++
    report.rows++
    try {
      addRow(file, piece, reading, options)
      entry.kept++
    } catch (error) {
      if (!(error instanceof RowFault)) throw error
      addFault(file, piece, error, reading)
    }
    if (reading.examples.length >= limit) return
  }
  if (entry.rows === 0)
    throw usageError(`${file}: there are no rows in it`, 'Give a file with at least one row.')
}

function addRow(file: string, piece: RawPiece, reading: Reading, options: RowOptions): void {
  const { example, format, explicitId } = readRow(file, piece, options)
  const { report, prompts, ids } = reading
  const place = `${file}:${piece.row}`
  if (explicitId) {
    const first = ids.get(example.id)
    if (first !== undefined) {
      const hint = 'Ids have to be unique over all files: rename them, or leave the id column out.'
      throw usageError(`the id "${example.id}" stands twice: ${first} and ${place}`, hint)
    }
    ids.set(example.id, place)
  }
  const key = promptKey(example.prompt)
  if (prompts.has(key)) report.duplicatePrompts++
  prompts.add(key)
  report.kept++
  report.formats[format] = (report.formats[format] ?? 0) + 1
  report.sources[example.source] = (report.sources[example.source] ?? 0) + 1
  reading.examples.push(example)
}

function addFault(file: string, piece: RawPiece, error: RowFault, reading: Reading): void {
  reading.report.faults.push({
    file,
    row: piece.row,
    byteOffset: piece.byteOffset + (error.byteInRow ?? 0),
    kind: error.kind,
    code: error.code,
    reason: error.message,
  })
  if (error.kind !== 'structural') return
  reading.structural++
  if (reading.structural > reading.tolerated && reading.structural >= LISTED) throw tooManyBad(reading)
}

function tooManyBad({ report, structural, tolerated }: Reading): ClhaError {
  const bad = report.faults.filter((fault) => fault.kind === 'structural')
  const allowed = tolerated > 0 ? ` (${tolerated} tolerated)` : ''
  const message = `${structural} of the first ${report.rows} rows cannot be read${allowed}:\n${formatFaults(bad, LISTED)}`
  const hint = 'Mend these rows, or leave them out with skip_bad: true.'
  return new ClhaError(EXIT.usage, message, hint)
}

function checkDropped(report: ReadReport, maxDropped: number, minCandidates: number): void {
  const dropped = report.faults.filter((fault) => fault.kind === 'content')
  const share = dropped.length / report.rows
  if (report.kept > 0 && share <= maxDropped) return
  if (dropped.length === 0) {
    const last = report.faults.at(-1)
    throw usageError(`no row could be read; the last fault: ${last ? formatFault(last) : 'none'}`)
  }
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`
  const message = `${dropped.length} of ${report.rows} rows (${percent(share)}) have nothing to learn from`
  const tooFew = dropped.every((fault) => fault.code === 'too_few_answers')
  const hint = tooFew
    ? `Every answer list needs ${minCandidates} answers here; rows with one answer are for supervised fine-tuning.`
    : `Look at the rows, or raise max_dropped (now ${percent(maxDropped)}).`
  throw usageError(`${message}:\n${formatFaults(dropped, LISTED)}`, hint)
}
