/** What a `clha data` command leaves behind: files that are there whole or not at all, a report, and every dropped row. */

import * as fs from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Example } from '../../data/example.js'
import { listFiles } from '../../data/read/read-files.js'
import type { ReadFault } from '../../data/read/row-fault.js'
import type { ReadCounts } from '../../data/read/stream-examples.js'
import { sideFile } from '../../data/side-files.js'
import { dataFileEnd, type WriteFormat, writeExamples } from '../../data/write/write-examples.js'
import { formatFor } from '../../data/write/write-rows.js'
import { usageError } from '../../errors.js'
import { sha256File } from '../../files/digest.js'
import { makeFolder } from '../../files/folder.js'
import { type JsonLinesFile, openJsonLines } from '../../files/json-lines.js'
import { DiskStorage } from '../../files/storage.js'
import { requireFreeTargets } from '../../files/targets.js'
import { moveIntoPlace, writeWhole } from '../../files/whole.js'
import { toJsonLine } from '../../show/json-lines.js'
import { amount, count } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import type { DataSource } from './data-source.js'

/** A row of the input that is in no output. */
export interface DroppedRow {
  file: string
  row: number
  id?: string
  code: string
  reason: string
}

export interface WrittenFile {
  file: string
  format: WriteFormat
  rows: number
  examples: number
  /** Rows of the input whose votes became the one label that most people gave. */
  majorities?: number
  sha256: string
}

export interface DataReport {
  command: string
  /** Files read, with their hashes. */
  inputs: ReadCounts['files']
  options: object
  outputs: WrittenFile[]
  /** Files of an earlier call that these took the place of. */
  removed?: string[]
  /** Rows of the input, and those that are in no output, by reason. */
  rows: number
  dropped: Record<string, number>
  droppedFile?: string
}

export interface DataOutput {
  /** Writes one of the outputs; what the format has no place for is listed as dropped. */
  write(file: string, format: WriteFormat, examples: AsyncIterable<Example>): Promise<WrittenFile>
  drop(row: DroppedRow | ReadFault): void
}

export interface OutputPlan {
  command: string
  /** A file, or the folder of the files. */
  output: string
  files: readonly string[]
  /** Files that an earlier call may have left, and that must not stand beside the new ones. */
  outdated?: readonly string[]
  report?: string
  force: boolean
  options: object
}

/**
 * Runs `work` on a folder beside the output and moves all files into place when it is done.
 * @throws ClhaError (exit 2) for a file that is there already, unless forced, and for one that is read
 */
export async function withOutput(
  plan: OutputPlan,
  source: DataSource,
  ui: Ui,
  work: (output: DataOutput) => Promise<void>,
): Promise<DataReport> {
  const reportFile = plan.report ?? sideFile(plan.output, 'report')
  const droppedFile = sideFile(plan.output, 'dropped')
  for (const file of plan.files) dataFileEnd(file)
  const outdated = (plan.outdated ?? []).filter((file) => fs.existsSync(file))
  checkFree(plan, [...plan.files, ...outdated, reportFile, droppedFile], await listFiles(source.paths))
  const parent = dirname(resolve(plan.output))
  const staging = join(parent, `.${basename(plan.output)}.${process.pid}.tmp`)
  fs.rmSync(staging, { recursive: true, force: true })
  makeFolder(staging)
  try {
    const dropped = droppedRows(join(staging, 'dropped'))
    const outputs: WrittenFile[] = []
    await work({
      drop: dropped.add,
      async write(file, format, examples) {
        const staged = join(staging, basename(file))
        const words = { file, unread: dropped.first }
        const report = await writeExamples(examples, format, staged, words)
        const { rows, examples: kept, majorities, skipped } = report
        for (const fault of skipped) dropped.add(fault)
        const head = { file, format, rows, examples: kept, sha256: await sha256File(staged) }
        const written = majorities > 0 ? { ...head, majorities } : head
        outputs.push(written)
        return written
      },
    })
    const hasDropped = dropped.finish()
    const storage = new DiskStorage()
    for (const { file } of outputs) {
      makeFolder(dirname(resolve(file)))
      moveIntoPlace(storage, join(staging, basename(file)), file)
    }
    if (hasDropped) moveIntoPlace(storage, join(staging, 'dropped'), droppedFile)
    else fs.rmSync(droppedFile, { force: true })
    for (const file of outdated) fs.rmSync(file)
    const { files: inputs, rows } = source.counts()
    const { command, options } = plan
    const removed = outdated.length > 0 && { removed: outdated }
    const head = { command, inputs, options, outputs, ...removed, rows, dropped: dropped.counts() }
    const report = hasDropped ? { ...head, droppedFile } : head
    writeWhole(reportFile, reportText(report))
    say(ui, report, reportFile)
    return report
  } finally {
    fs.rmSync(staging, { recursive: true, force: true })
  }
}

/** The keys of `--json`, for people to read. */
export const reportText = (report: object): string =>
  `${JSON.stringify(JSON.parse(toJsonLine(report as never)), null, 2)}\n`

function checkFree({ force }: OutputPlan, files: readonly string[], inputs: readonly string[]): void {
  requireFreeTargets(files, inputs)
  for (const file of files) {
    if (fs.statSync(file, { throwIfNoEntry: false })?.isDirectory())
      throw usageError(`${file}: a folder, not a file`, 'Choose another name for the output.')
    if (!force && fs.existsSync(file))
      throw usageError(`${file}: is there already`, 'Choose another name, or write over it with --force.')
  }
}

function droppedRows(path: string) {
  let file: JsonLinesFile | undefined
  let first: DroppedRow | ReadFault | undefined
  const counts: Record<string, number> = {}
  return {
    add(row: DroppedRow | ReadFault) {
      file ??= openJsonLines(path)
      first ??= row
      file.write(row)
      counts[row.code] = (counts[row.code] ?? 0) + 1
    },
    /** @returns whether there is such a file */
    finish() {
      file?.finish()
      return file !== undefined
    },
    counts: () => counts,
    first: () => first,
  }
}

function say(
  ui: Ui,
  { outputs, removed = [], rows, dropped, droppedFile }: DataReport,
  reportFile: string,
): void {
  for (const { file, format, rows: written, examples, majorities = 0 } of outputs) {
    const of = written === examples ? '' : ` (${count(examples)} of the input)`
    ui.line(`${file}  ${amount(written, 'row')}${of}, format ${format}`)
    if (majorities === 0) continue
    ui.warn(
      `${file}: of ${amount(majorities, 'row')} with votes of several people it holds the label that most gave, not the votes`,
      `Votes tell how often labels err. ${format === 'listwise' ? 'A list holds those on two answers.' : '--to listwise keeps those on two answers.'}`,
    )
  }
  for (const file of removed) ui.line(`${file}  removed: its rows were split anew`)
  const left = Object.entries(dropped)
  if (left.length > 0) {
    const total = left.reduce((sum, [, n]) => sum + n, 0)
    const reasons = left.map(([code, n]) => `${code} ${count(n)}`).join(', ')
    ui.line(`${droppedFile}  ${count(total)} of ${count(rows)} rows are left out: ${reasons}`)
  }
  ui.line(`${reportFile}`)
}

/** The format that holds the first example whole. @throws as reading does */
export async function formatLike(source: DataSource): Promise<WriteFormat> {
  for await (const example of source.examples()) return formatFor(example)
  throw usageError(`${source.names.join(', ')}: no row can be used`, 'clha data inspect says why.')
}
