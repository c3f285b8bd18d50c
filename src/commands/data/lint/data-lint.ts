/** `clha data lint`: what is wrong with a data set, row by row. */
import * as fs from 'node:fs'
import { usageError } from '../../../errors.js'
import { EXIT } from '../../../exit-codes.js'
import { writeWhole } from '../../../files/whole.js'
import {
  type Finding,
  RULES,
  type RuleCode,
  reaches,
  SEVERITIES,
  type Severity,
} from '../../../inspect/findings.js'
import type { LabelLengths } from '../../../inspect/length-bias.js'
import { createLint, findingText, type Lint } from '../../../inspect/lint.js'
import { count } from '../../../show/units.js'
import type { Ui } from '../../../terminal/ui.js'
import { reportText } from '../data-output.js'
import { type DataSource, openData, type ReadingOptions } from '../data-source.js'

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

export interface LintResult {
  rows: number
  severities: Record<Severity, number>
  rules: { code: RuleCode; severity: Severity; count: number; first: Finding[] }[]
  lengthBias?: LabelLengths
  exitCode: number
}

/** @throws ClhaError (exit 2) for data that can't be read, or a report that is there already */
export async function dataLint(options: LintOptions, ui: Ui): Promise<LintResult> {
  const { against, similarity, report, force, found } = options
  if (report !== undefined && !force && fs.existsSync(report))
    throw usageError(`${report}: is there already`, 'Choose another name, or write over it with --force.')
  const lint = createLint(against.length > 0 ? { similarity } : {})
  // One by one: ids have to be unique in one data set only.
  for (const name of against) {
    const other = await openData([name], options, ui)
    for await (const example of other.examples('other data')) lint.remember(example)
  }
  const source = await openData(options.data, options, ui)
  await check(source, lint, found)
  const result = resultOf(lint, source.counts().rows, options.failOn)
  show(result, options, ui)
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

/** Places shown for each rule. */
const SHOWN = 3

function show({ rules, rows, severities, exitCode }: LintResult, options: LintOptions, ui: Ui): void {
  const name = options.data.join(', ')
  if (rules.length === 0) {
    ui.line(`${name}  ${count(rows)} rows, nothing found`)
    return
  }
  ui.station(name, `${count(rows)} rows`)
  ui.table(
    rules.map(({ code, severity, count: n }) => ({ severity, code, count: n, meaning: RULES[code].meaning })),
    [
      { key: 'severity' },
      { key: 'code', title: 'rule' },
      { key: 'count', title: 'found' },
      { key: 'meaning' },
    ],
  )
  for (const { code, first, count: n } of rules) {
    ui.line(`\n${code}`)
    for (const item of first.slice(0, SHOWN)) ui.line(`  ${findingText(item)}`)
    if (n > SHOWN) ui.line(`  … and ${count(n - SHOWN)} more (--json lists all)`)
  }
  const totals = SEVERITIES.map(
    (name) => `${count(severities[name])} ${name}${severities[name] === 1 ? '' : 's'}`,
  )
  ui.line(`\n${totals.join(', ')}`)
  if (exitCode !== EXIT.done) ui.line(`exit code ${exitCode}: --fail-on ${options.failOn}`)
}
