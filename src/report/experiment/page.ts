/** The page of an experiment: the table, rewards side by side, reward over noise, reward against KL. */

import type { ExperimentRow } from '../../evaluate/cell-rows.js'
import { formatNumber, numberEstimate } from '../../show/numbers.js'
import { numeric, type Table, text } from '../../show/table.js'
import { wholePercent } from '../../show/units.js'
import { type Chart, dotChart, frontierChart, lineChart } from '../kit/charts.js'
import { escapeMarkdown } from '../kit/escape.js'
import { figure, figures, list, page, paragraphs, type Section, table } from '../kit/html.js'
import { inkOf, systemInk } from '../kit/palette.js'
import { markdownTable } from '../markdown.js'
import { whenLine } from '../sections.js'
import { headerTable } from '../tables.js'
import type { ReportHeader } from '../types.js'
import { type ExperimentTables, experimentDataTable, experimentTable, scorerName } from './tables.js'

export interface ExperimentReport extends ExperimentTables {
  header: ReportHeader
  /** Cells that failed, and why. */
  failures: readonly { cell: string; message: string }[]
}

const variantsOf = (rows: readonly ExperimentRow[]): string[] => [...new Set(rows.map((row) => row.variant))]

const inkFor = (variants: readonly string[], variant: string) => {
  const k = variants.indexOf(variant)
  return variants.length > 6 ? inkOf(k) : systemInk(variant, k)
}

/** Names of the rows: the variant, and what else is not the same for all. */
function rowNames(rows: readonly ExperimentRow[]): string[] {
  const several = new Set(rows.map(({ noise }) => noise)).size > 1
  return rows.map(({ variant, noise, augmented }) =>
    [
      variant,
      several && noise !== undefined ? `${wholePercent(noise)} reversed` : '',
      augmented ? `+${augmented} sampled` : '',
    ]
      .filter(Boolean)
      .join(', '),
  )
}

function rewardsFigure({ rows, scorers }: ExperimentTables): string {
  const names = rowNames(rows)
  const series = scorers.map((scorer, k) => ({
    label: scorerName(scorer),
    ink: inkOf(k),
    values: rows.map((row) => row.rewards[scorer]),
  }))
  return series
    .map(({ label, ink, values }) => {
      const chart = dotChart(label, label, names, [{ label, ink, values }])
      return figure(
        chart,
        numbersOf(
          label,
          names,
          values.map((v) => numberEstimate(v)),
        ),
      )
    })
    .join('\n')
}

const numbersOf = (label: string, names: readonly string[], values: readonly string[]): Table => ({
  caption: label,
  columns: [text('method'), numeric(label)],
  rows: names.map((name, i) => [name, values[i]]),
})

function noiseFigure({ rows, scorers: [judge] }: ExperimentTables): string {
  const variants = variantsOf(rows)
  const levels = new Set(rows.map((row) => row.noise))
  if (levels.size < 2) return ''
  const name = scorerName(judge)
  const lines = variants.map((variant) => ({
    label: variant,
    ink: inkFor(variants, variant),
    points: rows
      .filter((row) => row.variant === variant && row.noise !== undefined)
      .map((row): [number, number] => [100 * (row.noise as number), row.rewards[judge]?.value ?? Number.NaN])
      .sort((a, b) => a[0] - b[0]),
  }))
  const chart: Chart = lineChart(`${name} over label noise`, 'labels reversed, %', name, lines)
  const rowsOfChart = lines.flatMap(({ label, points }) =>
    points.map(([x, y]) => [label, formatNumber(x, 0), formatNumber(y)]),
  )
  const columns = [text('method'), numeric('labels reversed, %'), numeric(name)]
  return figure(chart, { caption: chart.title, columns, rows: rowsOfChart })
}

function klFigure({ rows, scorers: [judge] }: ExperimentTables): string {
  const measured = rows.filter((row) => typeof row.figures.kl?.value === 'number')
  if (measured.length < 2) return ''
  const variants = variantsOf(measured)
  const name = scorerName(judge)
  const marks = variants.map((variant) => ({
    label: variant,
    ink: inkFor(variants, variant),
    points: measured
      .filter((row) => row.variant === variant)
      .map((row): [number, number] => [
        row.figures.kl.value as number,
        row.rewards[judge]?.value ?? Number.NaN,
      ]),
  }))
  const chart = frontierChart(`${name} against KL`, 'KL to the start, nats an answer', name, marks)
  const shown = marks.flatMap(({ label, points }) =>
    points.map(([x, y]) => [label, formatNumber(x, 1), formatNumber(y)]),
  )
  return figure(chart, {
    caption: chart.title,
    columns: [text('method'), numeric('KL'), numeric(name)],
    rows: shown,
  })
}

export function experimentPage(report: ExperimentReport): string {
  const { header, failures } = report
  const learnt = experimentDataTable(report)
  const sections: Section[] = [
    { id: 'table', heading: 'Table', body: table(experimentTable(report), true) },
    { id: 'data', heading: 'What was learnt from', body: learnt ? table(learnt, true) : '' },
    {
      id: 'pictures',
      heading: 'Pictures',
      body: figures([rewardsFigure(report), noiseFigure(report), klFigure(report)].filter(Boolean)),
    },
    {
      id: 'failures',
      heading: 'Cells that failed',
      body: list(failures.map(({ cell, message }) => `${cell}: ${message}`)),
    },
    { id: 'run', heading: 'The run', body: table(headerTable(header), true) },
  ]
  const when = whenLine(header)
  return page(header.title, paragraphs([...(when ? [when] : []), ...(header.notes ?? [])]), sections)
}

export function experimentMarkdown(report: ExperimentReport): string {
  const { header, failures } = report
  const learnt = experimentDataTable(report)
  return `${[
    `# ${escapeMarkdown(header.title)}`,
    ...(header.notes ?? []).map(escapeMarkdown),
    markdownTable(experimentTable(report)),
    ...(learnt ? [markdownTable(learnt)] : []),
    ...failures.map(({ cell, message }) => `- failed: ${escapeMarkdown(`${cell}: ${message}`)}`),
    markdownTable(headerTable(header)),
  ].join('\n\n')}\n`
}
