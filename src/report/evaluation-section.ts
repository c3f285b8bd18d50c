/** Evaluation: every metric with its interval, per source, and how far the scorers can be trusted. */
import { type Chart, dotChart, shareChart } from './kit/charts.js'
import { figure, figures, folded, type Html, type Section, table } from './kit/html.js'
import { inkOf, systemInk } from './kit/palette.js'
import * as t from './tables.js'
import type { EvaluationReport, EvaluationRow } from './types.js'

const METRICS = [
  ['trueReward', 'true reward'],
  ['reward', 'training reward'],
  ['secondReward', 'second reward model'],
] as const

export function evaluationSection(evaluation: EvaluationReport | undefined): Section {
  const id = 'evaluation'
  const heading = 'Evaluation'
  if (!evaluation?.rows.length) return { id, heading, body: '' }
  const isTotal = ({ source }: { source: string }) => source === 'total'
  const total = {
    ...evaluation,
    rows: evaluation.rows.filter(isTotal),
    scorers: evaluation.scorers?.filter(isTotal),
  }
  const charts = decodingsOf(evaluation).flatMap((d) => [
    ...rewardCharts(evaluation, d),
    ...duelCharts(evaluation, d),
  ])
  const bySource = tables(evaluation)
  const body = [
    tables(total) || bySource,
    figures(charts.map((c) => figureOf(c, evaluation))),
    total.rows.length > 0 && total.rows.length < evaluation.rows.length
      ? folded('Numbers by source', bySource)
      : '',
    evaluation.differences?.length ? table(t.differencesTable(evaluation.differences)) : '',
    evaluation.agreement?.length ? table(t.agreementTable(evaluation.agreement)) : '',
  ]
  return { id, heading, body: body.join('') }
}

function tables(evaluation: EvaluationReport): Html {
  if (evaluation.rows.length === 0) return ''
  const answers = t.answersTable(evaluation)
  const measured = answers.columns.some((c) => c.numeric)
  return [
    table(t.evaluationTable(evaluation)),
    evaluation.scorers?.length ? table(t.scorersTable(evaluation)) : '',
    measured ? table(answers) : '',
  ].join('')
}

/** The numbers beside a chart are the rows of its own decoding, with the columns that identify and measure them. */
function figureOf({ chart, rows, columns }: Prepared, evaluation: EvaluationReport): Html {
  const all = t.evaluationTable({ baseline: evaluation.baseline, rows })
  const keep = all.columns.map((c) => ['system', 'source', ...columns].includes(c.label))
  const numbers = {
    caption: chart.title,
    columns: all.columns.filter((_, k) => keep[k]),
    rows: all.rows.map((row) => row.filter((_, k) => keep[k])),
  }
  return figure(chart, numbers)
}

interface Prepared {
  chart: Chart
  rows: EvaluationRow[]
  columns: string[]
}

function rewardCharts(evaluation: EvaluationReport, decoding: string | undefined): Prepared[] {
  const rows = evaluation.rows.filter((r) => r.decoding === decoding)
  const systems = t.systemsOf({ ...evaluation, rows })
  const sources = t.sourcesOf(rows)
  return METRICS.filter(([key]) => rows.some((r) => r[key])).map(([key, name]) => {
    const dots = systems.map((system, k) => ({
      label: system,
      ink: systemInk(system, k),
      values: sources.map((source) => rows.find((r) => r.system === system && r.source === source)?.[key]),
    }))
    const title = withDecoding(`${capital(name)} by source`, decoding)
    return { chart: dotChart(title, name, sources, dots), rows, columns: [name] }
  })
}

/** Wins, ties and losses of every system but the baseline, over all prompts. */
function duelCharts(evaluation: EvaluationReport, decoding: string | undefined): Prepared[] {
  const rows = evaluation.rows.filter(
    (r) => r.decoding === decoding && r.source === 'total' && r.againstStart,
  )
  if (rows.length === 0) return []
  const part = (label: string, k: number, key: 'wins' | 'ties' | 'losses') => ({
    label,
    ink: inkOf(k),
    counts: rows.map((r) => r.againstStart?.[key] ?? 0),
  })
  const parts = [part('win', 0, 'wins'), part('tie', 4, 'ties'), part('loss', 1, 'losses')]
  const title = withDecoding(`Against ${evaluation.baseline}, prompt by prompt`, decoding)
  const chart = shareChart(
    title,
    'share of prompts',
    rows.map((r) => r.system),
    parts,
  )
  return [{ chart, rows, columns: ['win / tie / loss', `wins against ${evaluation.baseline}`] }]
}

const decodingsOf = (evaluation: EvaluationReport) => [...new Set(evaluation.rows.map((r) => r.decoding))]
const withDecoding = (title: string, decoding: string | undefined) =>
  decoding ? `${title}, ${decoding}` : title
const capital = (s: string) => s[0].toUpperCase() + s.slice(1)
