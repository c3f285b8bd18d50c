/** Data files in, examples and token ids out, with everything that was left out said and listed. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type EncodeReport, encodeExamples } from '../../data/encode/encode.js'
import type { EncodedExample } from '../../data/encode/encoded.js'
import type { Example } from '../../data/example.js'
import { type ReadReport, readExamples } from '../../data/read/read-examples.js'
import { hubLabel } from '../../hub/cache.js'
import type { LanguageModel } from '../../load/language-model.js'
import { materialOf } from '../../methods/registry.js'
import type { DataFile } from '../../runs/run-manifest.js'
import type { Session } from '../../session/session.js'
import { count } from '../../show/units.js'

export interface LoadedData {
  examples: Example[]
  files: DataFile[]
  report: ReadReport
}

/** Files of left-out rows that a session has begun: its further data sets are appended. */
const begun = new WeakMap<object, Set<string>>()

/** Adds rows that were left out to a list in the output folder. */
function listLeftOut({ options, config }: Session, name: string, rows: readonly object[]): string {
  mkdirSync(options.outputDir, { recursive: true })
  const path = join(options.outputDir, name)
  const files = begun.get(config) ?? new Set<string>()
  begun.set(config, files)
  const write = files.has(path) ? appendFileSync : writeFileSync
  write(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  files.add(path)
  return path
}

/** Reads a dataset; rows that were dropped are listed in `<output_dir>/skipped.jsonl`. */
export async function loadData(
  session: Session,
  paths: string | string[],
  minCandidates: 0 | 1 | 2,
): Promise<LoadedData> {
  const { options, ui } = session
  const { examples, report } = await readExamples(paths, {
    skipBad: options.skipBad,
    maxDropped: options.maxDropped,
    minCandidates,
    unpaired: materialOf(options) === 'rows',
    splitter: options.splitter,
    format: options.datasetFormat === 'auto' ? undefined : options.datasetFormat,
    columns: options.columns,
    rewardColumn: options.rewardColumn,
    limit: options.maxSamples,
  })
  if (report.faults.length > 0) {
    const dataset = [paths].flat().join(', ')
    const rows = report.faults.map((fault) => ({ dataset, ...fault }))
    const path = listLeftOut(session, 'skipped.jsonl', rows)
    ui.warn(
      `${count(report.faults.length)} of ${count(report.rows)} rows are left out`,
      `they are listed in ${path}`,
    )
  }
  return {
    examples,
    report,
    files: report.files.map(({ file, sha256, rows }) => ({ path: hubLabel(file), sha256, rows })),
  }
}

export interface EncodedData {
  examples: Example[]
  encoded: EncodedExample[]
  report: EncodeReport
}

/** What encoding has to know of whatever reads the tokens: a language model, or a reward model of any architecture. */
export interface TokenReader extends Pick<LanguageModel, 'tokenizer' | 'template'> {
  model: { config: { maxPositions: number } }
}

const told = new WeakSet<object>()

/** Lengths that fit into the model's context; a larger max_length is told once. */
function lengthsFor({ options, ui }: Session, model: TokenReader['model']) {
  const { maxLength, maxPromptLength } = options
  const context = model.config.maxPositions
  if (maxLength <= context) return { maxLength, maxPromptLength }
  if (!told.has(model)) {
    const text = `max_length ${count(maxLength)} is more than the model's context of ${count(context)} tokens`
    ui.warn(`${text}; ${count(context)} is used`, `set max_length: ${context}`)
  }
  told.add(model)
  return {
    maxLength: context,
    maxPromptLength: Math.min(maxPromptLength, Math.max(1, Math.floor((context * 3) / 4))),
  }
}

function sayCut({ ui }: Session, { promptsCut, answersCut, kept, answers }: EncodeReport): void {
  const parts = [
    promptsCut > 0 ? `${count(promptsCut)} of ${count(kept)} prompts lose their beginning` : '',
    answersCut > 0 ? `${count(answersCut)} of ${count(answers)} answers their end` : '',
  ].filter((part) => part !== '')
  if (parts.length > 0) ui.line(`longer than max_length: ${parts.join(', ')}`)
}

/** Tokens of the examples; those without room are dropped, said and counted. */
export async function encodeData(
  session: Session,
  { model, tokenizer, template }: TokenReader,
  examples: readonly Example[],
  minCandidates: 1 | 2,
): Promise<EncodedData> {
  const { options, ui } = session
  const { encoded, kept, report } = await encodeExamples(examples, tokenizer, template, {
    ...lengthsFor(session, model),
    truncation: options.truncation,
    minCandidates,
  })
  for (const warning of report.warnings) ui.warn(warning)
  sayCut(session, report)
  if (report.dropped.length > 0) {
    const shown = report.dropped.slice(0, 3).map(({ file, row, reason }) => `${file}:${row} ${reason}`)
    const share = `${count(report.dropped.length)} of ${count(examples.length)} examples`
    const path = listLeftOut(session, 'no-room.jsonl', report.dropped)
    ui.warn(`${share} are left out: no room for an answer`, `${shown.join('; ')}; listed in ${path}`)
  }
  return { examples: kept.map((i) => examples[i]), encoded, report }
}
