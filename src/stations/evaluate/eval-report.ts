/** What an evaluation says: the report's header, the tables on the terminal, the figures for machines. */

import { conclusions, terminalTable } from '../../report/result-summary.js'
import type { EvalReport, EvaluationReport, EvaluationRow, ReportHeader } from '../../report/types.js'
import { headlinesOf } from '../../report/verdicts/judgements.js'
import type { Needs } from '../../session/needs.js'
import { VERSION } from '../../session/session.js'
import { formatNumber } from '../../show/numbers.js'
import { shellPath } from '../../show/shell.js'
import { tableOf } from '../../show/table.js'
import type { Ui } from '../../terminal/ui.js'
import type { Evaluation } from './evaluation.js'
import { type NamedScorer, namedScorers, type ScorerOptions } from './named-scorers.js'

/** What every report says first: which command, when, with what. */
export function reportHeader(
  { options, hardware, versions }: Needs<'seed', 'hardware' | 'versions'>,
  title: string,
  command?: string,
): ReportHeader {
  return {
    title,
    command,
    created: new Date().toISOString(),
    version: VERSION,
    seeds: [options.seed],
    machine: {
      cpu: String(hardware.cpu),
      threads: Number(hardware.threads),
      memoryBytes: Number(hardware.memory_bytes),
      libtorch: versions.libtorch,
    },
  }
}

/** Which scorer is behind a name. */
export const scorersNote = (scorers: readonly NamedScorer[]): string =>
  `Scorers: ${scorers.map(({ name, path }) => `${name} = ${path}`).join(', ')}.`

export function evalReport(
  session: Needs<'seed' | keyof ScorerOptions, 'config' | 'hardware' | 'versions'>,
  { report, samples, measures, judgements }: Evaluation,
): EvalReport {
  const { config } = session
  const scorers = namedScorers(session.options)
  return {
    ...reportHeader(session, 'Evaluation', config.file && `clha eval ${shellPath(config.file)}`),
    notes: [
      'Intervals are 95 %, over prompts, of one seed.',
      scorers.length === 0
        ? 'No reward model judged: there are no rewards and no wins.'
        : scorersNote(scorers),
    ],
    ...(measures && { measures }),
    judgements,
    evaluation: report,
    samples,
  }
}

/** The short table of the report, the figures of the texts, and what can be concluded. */
export function showEvaluation(ui: Ui, report: EvalReport): void {
  const evaluation = report.evaluation as EvaluationReport
  ui.table(terminalTable(report))
  ui.table(
    tableOf(totals(evaluation).map(textFigures), [
      { key: 'system', title: '' },
      { key: 'bleu', title: 'BLEU, characters', align: 'right' },
      { key: 'distinct', title: 'distinct word pairs', align: 'right' },
      { key: 'repetition', title: 'repeated 4-grams', align: 'right' },
    ]),
  )
  sayHeadlines(ui, report)
  for (const line of conclusions(evaluation)) ui.line(line)
}

/** Is it better, by how much, how sure: as the report begins. @returns whether anybody judged */
export function sayHeadlines(ui: Ui, report: EvalReport): boolean {
  const headlines = headlinesOf(report)
  for (const { answer, lines } of headlines) {
    ui.line(answer)
    for (const line of lines) ui.line(`  ${line}`)
  }
  return headlines.length > 0
}

const totals = ({ rows }: EvaluationReport) => rows.filter(({ source }) => source === 'total')

const textFigures = ({ system, bleu, distinct, repetition }: EvaluationRow) => ({
  system,
  bleu: shown(bleu?.value),
  distinct: shown(distinct?.value),
  repetition: shown(repetition?.value),
})

// The BLEU of unrelated texts is near 1e-80: that is shown as 0.
const shown = (value: number | null | undefined) => formatNumber(value && value < 5e-4 ? 0 : value, 3)

/** By system, over all prompts. */
export function metricsOf(evaluation: EvaluationReport): Record<string, Record<string, number>> {
  return Object.fromEntries(totals(evaluation).map((row) => [row.system, metricsOfRow(row)]))
}

function metricsOfRow(row: EvaluationRow): Record<string, number> {
  const values = {
    prompts: row.prompts,
    true_reward: row.trueReward?.value,
    reward: row.reward?.value,
    second_reward: row.secondReward?.value,
    sigmoid_reward: row.sigmoidReward?.value,
    win_rate: row.againstStart?.rate?.value,
    tokens: row.length?.value,
    bleu: row.bleu?.value,
    distinct: row.distinct?.value,
    repetition: row.repetition?.value,
  }
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  )
}
