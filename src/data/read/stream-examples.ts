/** Preference files in, examples out one by one, at constant memory, with counts that account for every row. */

import { promptKey } from '../../dialogue.js'
import { ClhaError, usageError } from '../../errors.js'
import { EXIT } from '../../exit-codes.js'
import { sha256File } from '../../files/digest.js'
import type { Example } from '../example.js'
import { formatByName } from '../formats/registry.js'
import type { Columns } from './columns.js'
import { joinAnswerRows } from './join-rows.js'
import { listFiles, readPieces } from './read-files.js'
import type { Piece } from './read-lines.js'
import { type RowOptions, readRow } from './read-row.js'
import { type FaultKind, formatFault, formatFaults, type ReadFault, RowFault } from './row-fault.js'
import { createSeen } from './seen.js'

export interface ReadOptions {
  /** Unreadable rows that are tolerated: a number, or true for any. Default: none. */
  skipBad?: number | boolean
  /** Share of rows that may be dropped for their content before reading stops. Default 0.05. */
  maxDropped?: number
  /** Data without a single row that can be used are no error: the faults are what is wanted. */
  noneUsable?: boolean
  /** Answers that a row needs: 2 (default), 1 for supervised fine-tuning, or 0 where prompts alone will do. */
  minCandidates?: 0 | 1 | 2
  /** Take rows with one answer and a label as well (KTO, BCO). Default: they are refused. */
  unpaired?: boolean
  /** HH transcripts: keep every paragraph (default), or drop those without a role marker as the reference does. */
  splitter?: 'full' | 'legacy'
  /** Read every row in this format instead of recognising it. */
  format?: string
  /** Our column name -> the name that it has in the file, the names of a list's parts, or null to leave it out. */
  columns?: Columns
  /**
   * Column of a list's rewards; for pairs the stem of `<stem>_chosen` and `<stem>_rejected` (default `score`). Of several
   * the first is each answer's `reward`, and all are its `rewards`.
   */
  rewardColumn?: string | readonly string[]
  /** Stop after this many examples. */
  limit?: number
}

/** `kept + dropped.structural + dropped.content` is always `rows`. */
export interface ReadCounts {
  files: { file: string; sha256: string; rows: number; kept: number }[]
  /** Rows looked at; blank lines are none, and neighbours that are joined to a list are one. */
  rows: number
  kept: number
  dropped: Record<FaultKind, number>
  /** Examples kept, by format and by source. */
  formats: Record<string, number>
  sources: Record<string, number>
  /** Kept examples whose prompt an earlier one has already. */
  duplicatePrompts: number
}

export type StreamItem = { kind: 'example'; example: Example } | { kind: 'skipped'; fault: ReadFault }

const LISTED = 20
/** Row numbers below it; the number of the file above it. */
const ROWS = 2 ** 40

export const newCounts = (): ReadCounts => ({
  files: [],
  rows: 0,
  kept: 0,
  dropped: { structural: 0, content: 0 },
  formats: {},
  sources: {},
  duplicatePrompts: 0,
})

interface Reading {
  counts: ReadCounts
  options: RowOptions
  tolerated: number
  /** The first faults of each kind, for the error. */
  first: Record<FaultKind, ReadFault[]>
  prompts: ReturnType<typeof createSeen>
  ids: ReturnType<typeof createSeen>
}

/**
 * Reads files and folders in file order; every row comes out, as an example or as what is wrong with it.
 * Faults that are too many end it as in `readExamples`; the share of dropped rows is judged at the end.
 * @param counts filled while it reads
 * @throws ClhaError (usage) naming file, row and reason
 */
export async function* streamExamples(
  paths: string | readonly string[],
  options: ReadOptions = {},
  counts: ReadCounts = newCounts(),
): AsyncGenerator<StreamItem> {
  const { skipBad = false, maxDropped = 0.05, limit = Number.POSITIVE_INFINITY } = options
  const reading: Reading = {
    counts,
    options: rowOptions(options),
    tolerated: typeof skipBad === 'number' ? skipBad : skipBad ? Number.POSITIVE_INFINITY : 0,
    first: { structural: [], content: [] },
    prompts: createSeen(),
    ids: createSeen(),
  }
  for (const file of await listFiles(paths)) {
    if (counts.kept >= limit) break
    yield* readFile(file, reading, limit)
  }
  if (counts.dropped.structural > reading.tolerated) throw tooManyBad(reading)
  if (!options.noneUsable) checkDropped(reading, maxDropped)
}

const rowOptions = (options: ReadOptions): RowOptions => ({
  splitter: options.splitter ?? 'full',
  rewardColumns: options.rewardColumn === undefined ? [] : [options.rewardColumn].flat(),
  minCandidates: options.minCandidates ?? 2,
  unpaired: options.unpaired ?? false,
  columns: options.columns ?? {},
  forced: options.format === undefined ? undefined : formatByName(options.format),
})

async function* readFile(file: string, reading: Reading, limit: number): AsyncGenerator<StreamItem> {
  const { counts } = reading
  const entry = { file, sha256: await sha256File(file), rows: 0, kept: 0 }
  counts.files.push(entry)
  const { forced, columns, rewardColumns } = reading.options
  const pieces = readPieces(file)
  // Where the answers are given another name, rows are what the columns say.
  const asTheyAre = forced !== undefined || Object.values(columns).flat().includes('response')
  for await (const piece of asTheyAre ? pieces : joinAnswerRows(pieces, rewardColumns[0])) {
    entry.rows++
    counts.rows++
    const item = readItem(file, piece, reading)
    if (item.kind === 'example') entry.kept++
    yield item
    if (counts.kept >= limit) return
  }
  if (entry.rows === 0)
    throw usageError(`${file}: there are no rows in it`, 'Give a file with at least one row.')
}

function readItem(file: string, piece: Piece, reading: Reading): StreamItem {
  try {
    return { kind: 'example', example: readExample(file, piece, reading) }
  } catch (error) {
    if (!(error instanceof RowFault)) throw error
    return { kind: 'skipped', fault: addFault(file, piece, error, reading) }
  }
}

function readExample(file: string, piece: Piece, { counts, options, prompts, ids }: Reading): Example {
  const { example, format, explicitId } = readRow(file, piece, options)
  const place = (counts.files.length - 1) * ROWS + piece.row
  if (explicitId) {
    let first = ids.first(example.id, place)
    // Published files count from 0 each: an id of another file is told apart by its file.
    if (first !== undefined && Math.floor(first / ROWS) !== counts.files.length - 1) {
      example.id = `${file}:${example.id}`
      first = ids.first(example.id, place)
    }
    if (first !== undefined) {
      const before = `${counts.files[Math.floor(first / ROWS)].file}:${first % ROWS}`
      const hint = 'Ids are unique in a file: rename them, or leave the column out with columns: {id: null}.'
      throw usageError(`the id "${example.id}" stands twice: ${before} and ${file}:${piece.row}`, hint)
    }
  }
  if (prompts.first(promptKey(example.prompt), place) !== undefined) counts.duplicatePrompts++
  counts.kept++
  counts.formats[format] = (counts.formats[format] ?? 0) + 1
  counts.sources[example.source] = (counts.sources[example.source] ?? 0) + 1
  return example
}

function addFault(file: string, piece: Piece, error: RowFault, reading: Reading): ReadFault {
  const { dropped } = reading.counts
  const { kind, code, byteInRow = 0, message: reason } = error
  const fault: ReadFault = {
    file,
    row: piece.row,
    ...(piece.line === undefined ? {} : { line: piece.line }),
    ...('byteOffset' in piece ? { byteOffset: piece.byteOffset + byteInRow } : {}),
    kind,
    code,
    reason,
  }
  dropped[kind]++
  if (reading.first[kind].length < LISTED) reading.first[kind].push(fault)
  if (kind === 'structural' && dropped.structural > reading.tolerated && dropped.structural >= LISTED) {
    throw tooManyBad(reading)
  }
  return fault
}

const more = (count: number) => (count > LISTED ? `\n  … and ${count - LISTED} more` : '')

function tooManyBad({ counts, first, tolerated }: Reading): ClhaError {
  const bad = counts.dropped.structural
  const allowed = tolerated > 0 ? ` (${tolerated} tolerated)` : ''
  const list = formatFaults(first.structural, LISTED) + more(bad)
  const message = `${bad} of the first ${counts.rows} rows cannot be read${allowed}:\n${list}`
  const hint = 'Fix these rows, or leave them out with skip_bad: true.'
  return new ClhaError(EXIT.usage, message, hint)
}

function checkDropped({ counts, first, options }: Reading, maxDropped: number): void {
  const dropped = counts.dropped.content
  const share = dropped / counts.rows
  if (counts.kept > 0 && share <= maxDropped) return
  if (dropped === 0) {
    const fault = first.structural.at(-1)
    throw usageError(`no row could be read; the last fault: ${fault ? formatFault(fault) : 'none'}`)
  }
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`
  const message = `${dropped} of ${counts.rows} rows (${percent(share)}) have nothing to learn from`
  const tooFew = first.content.every((fault) => fault.code === 'too_few_answers')
  const hint = tooFew
    ? `Every answer list needs ${options.minCandidates} answers here; rows with one answer are for supervised fine-tuning.`
    : counts.kept === 0
      ? 'Look at the rows: none of them can be used.'
      : `Look at the rows, or raise max_dropped (now ${percent(maxDropped)}).`
  throw usageError(`${message}:\n${formatFaults(first.content, LISTED)}${more(dropped)}`, hint)
}
