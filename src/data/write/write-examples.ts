/** Examples out to a data file, which appears once all of it is on the disk. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { extrasOf } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { streamWhole } from '../../files/whole.js'
import { type Example, turnOf } from '../example.js'
import type { RawRow } from '../formats/format.js'
import { contentFault, type ReadFault } from '../read/row-fault.js'
import { parquetSink } from './write-parquet.js'
import { losesVotes, ROWS_OF, type RowsOf, type WriteFormat } from './write-rows.js'

export type { WriteFormat } from './write-rows.js'

const ENDS = /\.(jsonl|jsonl\.gz|parquet)$/

/** What a format's rows may have, in the order of a Parquet file's columns. */
const PARQUET_COLUMNS: Record<WriteFormat, readonly string[]> = {
  trl: ['id', 'source', 'prompt', 'chosen', 'rejected', 'score_chosen', 'score_rejected', 'annotator'],
  hh: ['id', 'source', 'chosen', 'rejected', 'score_chosen', 'score_rejected', 'annotator'],
  listwise: ['id', 'source', 'prompt', 'completions', 'rewards', 'ranks', 'votes', 'models', 'annotator'],
  messages: ['id', 'source', 'messages'],
  kto: ['id', 'source', 'prompt', 'completion', 'label'],
}

export interface WriteReport {
  /** Rows in the file; an example with several preferences gives several. */
  rows: number
  /** Examples that are in the file. */
  examples: number
  /** Examples of which the file holds the label that most people gave, and not their votes. */
  majorities: number
  /** Examples that the format has no place for, with the reason. */
  skipped: ReadFault[]
}

/** For messages: a file that is written elsewhere first, and the first row that never became an example. */
export interface WriteWords {
  file: string
  unread?: () => Pick<ReadFault, 'file' | 'row' | 'reason'> | undefined
}

/**
 * Writes examples as .jsonl, .jsonl.gz or .parquet (by the name of the file), one after the other, and replaces `file`
 * only when all is written.
 * @throws ClhaError (usage) for another name, or when no example can be written in this format
 * @example
 * ```ts
 * const { examples } = await readExamples('prefs.jsonl')
 * const report = await writeExamples(examples, 'listwise', 'lists.jsonl')
 * report.rows // 8
 * ```
 */
export async function writeExamples(
  examples: Iterable<Example> | AsyncIterable<Example>,
  format: WriteFormat,
  file: string,
  words: WriteWords = { file },
): Promise<WriteReport> {
  const end = dataFileEnd(words.file)
  const report: WriteReport = { rows: 0, examples: 0, majorities: 0, skipped: [] }
  const rows = rowsOf(examples, end === 'parquet' ? plainRows(format) : ROWS_OF[format], format, report)
  await streamWhole(file, async (write) => {
    if (end === 'parquet') await writeParquet(rows, write, PARQUET_COLUMNS[format])
    else await writeLines(rows, write, end === 'jsonl.gz')
    if (report.rows === 0) throw nothingToWrite(format, words, report)
  })
  return report
}

/** The container that a name stands for. @throws ClhaError (usage) for a name that is none of data that is written */
export function dataFileEnd(name: string): string {
  const end = ENDS.exec(name)?.[1]
  if (end) return end
  throw usageError(`${name}: data is written as .jsonl, .jsonl.gz or .parquet`, 'Give it such a name.')
}

type Write = (content: string | Uint8Array) => void

async function* rowsOf(
  examples: Iterable<Example> | AsyncIterable<Example>,
  rowsFor: RowsOf,
  format: WriteFormat,
  report: WriteReport,
): AsyncGenerator<RawRow> {
  for await (const example of examples) {
    const rows = rowsFor(example)
    if (typeof rows === 'string') {
      const { kind, code, message: reason } = contentFault(`not_${format}`, rows)
      report.skipped.push({ file: example.file, row: example.row, kind, code, reason })
      continue
    }
    report.examples++
    if (losesVotes(example, format)) report.majorities++
    report.rows += rows.length
    yield* rows
  }
}

/** In Parquet messages are columns of role and content alone. */
const plainRows =
  (format: WriteFormat): RowsOf =>
  (example) => {
    const turns = [
      ...(typeof example.prompt === 'string' ? [] : example.prompt),
      ...example.candidates.map(turnOf),
    ]
    if (turns.some(extrasOf))
      return 'names, tools, tool calls and reasoning have no columns in Parquet: write .jsonl'
    return ROWS_OF[format](example)
  }

async function writeLines(rows: AsyncIterable<RawRow>, write: Write, packed: boolean): Promise<void> {
  async function* lines() {
    for await (const row of rows) yield `${JSON.stringify(row)}\n`
  }
  if (!packed) {
    for await (const line of lines()) write(line)
    return
  }
  await pipeline(Readable.from(lines()), createGzip(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) write(chunk)
  })
}

async function writeParquet(rows: AsyncIterable<RawRow>, write: Write, columns: readonly string[]) {
  const sink = parquetSink(write, columns)
  for await (const row of rows) sink.write(row)
  sink.finish()
}

function nothingToWrite(format: WriteFormat, { file, unread }: WriteWords, { skipped }: WriteReport) {
  const fault = skipped[0] ?? unread?.()
  const why = fault ? `${fault.file}:${fault.row}: ${fault.reason}` : 'there is no example'
  const hint = skipped[0]
    ? 'Choose another format.'
    : 'No row of the input can be used: fix it, or take another.'
  return usageError(`${file}: nothing can be written as ${format}: ${why}`, hint)
}
