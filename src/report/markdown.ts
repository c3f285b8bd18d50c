/** The report as Markdown: the same tables and sentences as the page, readable in any editor. */

import { formatSigned } from '../show/numbers.js'
import type { Cells, Table } from '../show/table.js'
import * as a from './audit-tables.js'
import { escapeMarkdown as esc, fencedMarkdown, shorten } from './kit/escape.js'
import { conclusions, summaryTable, trainingWarnings, warningLines } from './result-summary.js'
import { rewardSentences } from './reward-section.js'
import { benchmarkTable, categoriesTable } from './reward-tables.js'
import * as t from './tables.js'
import type { AlignReport, CaseReport, ComparisonReport, SampleReport } from './types.js'
import { settingsTable, systemsTable } from './verdicts/comparison-section.js'
import { type Headline, headlinesOf } from './verdicts/judgements.js'
import { againstTable, ratersTable } from './verdicts/verdict-tables.js'
import { verdictSentences } from './verdicts/verdict-words.js'

const SAMPLES = 10
const LIMIT = 2000

/** Every part that the report has, as one Markdown document. */
export function renderMarkdown(report: AlignReport): string {
  const { evaluation, audit, rewardModel, data, comparison, rewardEvaluation: reward } = report
  const parts = [
    `# ${esc(report.title)}`,
    section('Result', [
      ...headlinesOf(report).map(headline),
      evaluation && markdownTable(summaryTable(evaluation)),
      evaluation && bullets(conclusions(evaluation).map(esc)),
      report.multiSeed && markdownTable(t.seedsTable(report.multiSeed)),
    ]),
    section('Against labels', [
      reward && bullets(rewardSentences(reward).map(esc)),
      reward && markdownTable(categoriesTable(reward)),
      reward?.scores.length && markdownTable(benchmarkTable(reward)),
    ]),
    section('Verdicts', (comparison?.verdicts ?? []).flatMap(verdictParts)),
    section('Cases', (comparison?.cases ?? []).map(caseOf)),
    section('What was compared', [
      comparison && markdownTable(systemsTable(comparison)),
      comparison?.settings.length && markdownTable(settingsTable(comparison)),
    ]),
    warned(warningLines(report, audit)),
    bullets((report.notes ?? []).map(esc)),
    section('Answers side by side', (report.samples ?? []).slice(0, SAMPLES).map(sample)),
    section('Evaluation', [
      evaluation && markdownTable(t.evaluationTable(evaluation)),
      evaluation?.scorers?.length && markdownTable(t.scorersTable(evaluation)),
      evaluation && markdownTable(t.answersTable(evaluation)),
      evaluation?.differences?.length && markdownTable(t.differencesTable(evaluation.differences)),
      evaluation?.agreement?.length && markdownTable(t.agreementTable(evaluation.agreement)),
    ]),
    section('Audit of the labels', [
      audit && markdownTable(a.auditTable(audit)),
      audit?.truth && markdownTable(a.truthTable(audit.truth)),
      audit?.truth && markdownTable(a.truthRatesTable(audit.truth)),
      audit && markdownTable(a.lengthTable(audit.length)),
    ]),
    section('Reward model', [
      rewardModel && markdownTable(t.foldsTable(rewardModel.folds)),
      audit?.scorers && markdownTable(a.scorersTable(audit.scorers)),
      audit?.calibrations.length && markdownTable(a.calibrationTable(audit.calibrations)),
      audit?.calibrations.length && markdownTable(a.reliabilityTable(audit.calibrations)),
    ]),
    section('Learning curves', [warned(trainingWarnings(report.curves))]),
    section('The run', [
      markdownTable(t.headerTable(report)),
      report.stations?.length && markdownTable(t.stationsTable(report.stations)),
      data?.sources?.length && markdownTable(t.sourcesTable(data.sources)),
    ]),
  ]
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

const headline = ({ answer, lines }: Headline): string => `**${esc(answer)}**\n\n${bullets(lines.map(esc))}`

const verdictParts = ({ who, figures, raters }: ComparisonReport['verdicts'][number]): string[] => [
  markdownTable(againstTable(figures, who)),
  bullets(verdictSentences(figures, who).map(esc)),
  markdownTable(ratersTable(raters)),
]

type Part = string | false | undefined | 0

function section(heading: string, parts: Part[]): string {
  const body = parts.filter(Boolean).join('\n\n')
  return body ? `## ${heading}\n\n${body}` : ''
}

/** Caption, head, rule and rows. */
export function markdownTable(source: Table): string {
  if (source.rows.length === 0) return ''
  return `${esc(source.caption)}:\n\n${markdownCells(source)}`
}

/** Head, rule and rows. */
export function markdownCells({ columns, rows }: Cells): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  const head = line(columns.map((c) => esc(c.label)))
  const rule = line(columns.map((c) => (c.numeric ? '---:' : '---')))
  return [head, rule, ...rows.map((row) => line(row.map(esc)))].join('\n')
}

const caseOf = ({ why, note, ...own }: CaseReport, k: number): string =>
  sample({ ...own, source: [why, note, own.source].filter(Boolean).join(', ') }, k)

function sample(s: SampleReport, k: number): string {
  const answers = s.answers.map((a) => {
    const rewards = Object.entries(a.rewards).map(([name, value]) => `${esc(name)} ${formatSigned(value)}`)
    return `**${esc(a.system)}**${rewards.length ? ` · ${rewards.join(' · ')}` : ''}\n\n${block(a.text)}`
  })
  return [`### Prompt ${k + 1}${s.source ? ` · ${esc(s.source)}` : ''}`, block(s.prompt), ...answers].join(
    '\n\n',
  )
}

function block(text: string): string {
  const cut = shorten(text, LIMIT)
  return fencedMarkdown(cut.text) + (cut.remark ? `\n\n${cut.remark}` : '')
}

const warned = (lines: string[]): string => bullets(lines.map((line) => `**Warning:** ${esc(line)}`))

const bullets = (lines: string[]): string => lines.map((line) => `- ${line}`).join('\n')
