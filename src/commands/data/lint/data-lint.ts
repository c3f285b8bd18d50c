/** `clha data lint`: what is wrong with a data set, row by row. */
import * as fs from 'node:fs'
import { listFiles } from '../../../data/read/read-files.js'
import { usageError } from '../../../errors.js'
import { EXIT } from '../../../exit-codes.js'
import { requireFreeTargets } from '../../../files/targets.js'
import { writeWhole } from '../../../files/whole.js'
import {
  type Finding,
  RULES,
  type RuleCode,
  reaches,
  SEVERITIES,
  type Severity,
} from '../../../inspect/findings.js'
import { createLint, type Lint } from '../../../inspect/lint.js'
import type { Ui } from '../../../terminal/ui.js'
import { reportText } from '../data-output.js'
import { type DataSource, openData, type ReadingOptions } from '../data-source.js'
import type { LintResult } from './lint-result.js'
import { sayLint } from './say-lint.js'

export interface LintOptions extends ReadingOptions {
  data: readonly string[]
  /** Data whose prompts must not be in this one. */
  against: readonly string[]
  /** Jaccard similarity from which two prompts are nearly the same. */
  similarity: number
  failOn: Severity | 'none'
  /** JSON file for the counts and the first findings of each rule. */
  report?: string
  force: boolean
  /** Is given every finding as it is made. */
  found(finding: Finding): void
}

/** @throws ClhaError (exit 2) for data that can't be read, or a report that is there already */
export async function dataLint(options: LintOptions, ui: Ui): Promise<LintResult> {
  const { against, similarity, report, force, found } = options
  if (report !== undefined && !force && fs.existsSync(report))
    throw usageError(`${report}: is there already`, 'Choose another name, or write over it with --force.')
  const source = await openData(options.data, options, ui, true)
  const others: DataSource[] = []
  for (const name of against) others.push(await openData([name], options, ui))
  if (report !== undefined)
    for (const { paths } of [source, ...others]) requireFreeTargets([report], await listFiles(paths))
  const lint = createLint(against.length > 0 ? { similarity } : {})
  // One by one: ids have to be unique in one data set only.
  for (const other of others) {
    for await (const example of other.examples('other data')) lint.remember(example)
  }
  await check(source, lint, found)
  const result = resultOf(lint, source.counts().rows, options.failOn)
  sayLint(ui, { ...result, ...options })
  if (report !== undefined) writeWhole(report, reportText(result))
  return result
}

async function check(source: DataSource, lint: Lint, found: (finding: Finding) => void): Promise<void> {
  for await (const item of source.items()) {
    if (item.kind === 'example') lint.check(item.example).forEach(found)
    else found(lint.fault(item.fault))
  }
  lint.finish().forEach(found)
}

function resultOf(lint: Lint, rows: number, failOn: LintOptions['failOn']): LintResult {
  const rules = (Object.keys(RULES) as RuleCode[]).flatMap((code) => {
    const entry = lint.counts.get(code)
    return entry ? [{ code, severity: RULES[code].severity, ...entry }] : []
  })
  rules.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
  const severities = { error: 0, warning: 0, note: 0 }
  for (const rule of rules) severities[rule.severity] += rule.count
  const fails = failOn !== 'none' && rules.some(({ severity }) => reaches(severity, failOn))
  return { rows, severities, rules, lengthBias: lint.lengthBias(), exitCode: fails ? EXIT.gate : EXIT.done }
}
