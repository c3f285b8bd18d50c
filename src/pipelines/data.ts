/** Data files in, examples and token ids out, with everything that was left out said and listed. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type EncodeReport, encodeExamples } from '../data/encode.js'
import type { EncodedExample } from '../data/encoded.js'
import type { Example } from '../data/example.js'
import { type ReadReport, readExamples } from '../data/read-examples.js'
import type { DataFile } from '../runs/run-manifest.js'
import { count } from '../terminal/units.js'
import type { LanguageModel } from './language-model.js'
import type { Session } from './session.js'

export interface LoadedData {
  examples: Example[]
  files: DataFile[]
  report: ReadReport
}

/** Reads a dataset; rows that were dropped are listed in `<output_dir>/skipped.jsonl`. */
export async function loadData(
  { options, ui }: Session,
  paths: string | string[],
  minCandidates: 1 | 2,
): Promise<LoadedData> {
  const { examples, report } = await readExamples(paths, {
    skipBad: options.skipBad,
    maxDropped: options.maxDropped,
    minCandidates,
    splitter: options.splitter,
    format: options.datasetFormat === 'auto' ? undefined : options.datasetFormat,
    columns: options.columns,
    rewardColumn: options.rewardColumn,
    limit: options.maxSamples,
  })
  if (report.faults.length > 0) {
    mkdirSync(options.outputDir, { recursive: true })
    const path = join(options.outputDir, 'skipped.jsonl')
    writeFileSync(path, report.faults.map((f) => `${JSON.stringify(f)}\n`).join(''))
    ui.warn(`${count(report.faults.length)} of ${count(report.rows)} rows are left out`, `they are listed in ${path}`)
  }
  return { examples, report, files: report.files.map(({ file, sha256, rows }) => ({ path: file, sha256, rows })) }
}

export interface EncodedData {
  examples: Example[]
  encoded: EncodedExample[]
  report: EncodeReport
}

/** Tokens of the examples; those without room are dropped, said and counted. */
export async function encodeData(
  { options, ui }: Session,
  { tokenizer, template }: Pick<LanguageModel, 'tokenizer' | 'template'>,
  examples: readonly Example[],
  minCandidates: 1 | 2,
): Promise<EncodedData> {
  const { encoded, kept, report } = await encodeExamples(examples, tokenizer, template, {
    maxLength: options.maxLength,
    maxPromptLength: options.maxPromptLength,
    truncation: options.truncation,
    minCandidates,
  })
  for (const warning of report.warnings) ui.warn(warning)
  if (report.dropped.length > 0) {
    const shown = report.dropped.slice(0, 3).map(({ file, row, reason }) => `${file}:${row} ${reason}`)
    ui.warn(`${count(report.dropped.length)} examples have no room for an answer`, shown.join('; '))
  }
  return { examples: kept.map((i) => examples[i]), encoded, report }
}
