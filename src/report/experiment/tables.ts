/** The rows of an experiment as a table: for the page, Markdown, CSV and LaTeX. */

import type { ExperimentRow } from '../../evaluate/cell-rows.js'
import * as n from '../../show/numbers.js'
import { type Column, numeric, type Table, text } from '../../show/table.js'
import { count, MISSING, wholePercent } from '../../show/units.js'

export interface ExperimentTables {
  title: string
  baseline: string
  /** Scorer names in the order of the columns; the first is the judge. */
  scorers: readonly string[]
  rows: readonly ExperimentRow[]
}

/** Names of the scorers for people. */
export const SCORER_NAMES: Record<string, string> = {
  true: 'true reward',
  second: 'second reward model',
  reward: 'training reward',
}

const FIGURES: [key: string, label: string, write: (x: number) => string][] = [
  ['kl', 'KL to the start', (x) => x.toFixed(2).replace('-', '−')],
  ['length', 'tokens', (x) => n.formatNumber(x, 1)],
  ['distinct2', 'distinct-2', (x) => n.formatNumber(x)],
  ['audit_precision', 'audit precision', wholePercent],
  ['audit_recall', 'audit recall', wholePercent],
]

type Cell = [column: Column, write: (row: ExperimentRow) => string]

function cellsOf({ baseline, scorers, rows }: ExperimentTables): Cell[] {
  const has = (use: (row: ExperimentRow) => unknown) => rows.some((row) => use(row) !== undefined)
  const cells: Cell[] = [[text('method'), (row) => row.variant]]
  if (has((row) => row.noise)) cells.push([numeric('labels reversed'), (row) => wholePercent(row.noise)])
  if (has((row) => row.augmented)) cells.push([numeric('sampled answers'), (row) => count(row.augmented)])
  for (const scorer of scorers)
    cells.push([numeric(SCORER_NAMES[scorer] ?? scorer), (row) => n.signedEstimate(row.rewards[scorer])])
  cells.push(
    [numeric(`against ${baseline}`), (row) => n.signedEstimate(row.against?.difference)],
    [numeric('p'), (row) => pValue(row.against?.p)],
    [numeric('effect'), (row) => n.formatSigned(row.against?.effect)],
    [numeric('wins'), (row) => n.percentEstimate(row.against?.winRate)],
  )
  for (const [key, label, write] of FIGURES)
    if (has((row) => row.figures[key])) cells.push([numeric(label), (row) => write(row.figures[key])])
  cells.push(
    [numeric('learning rate'), (row) => (row.learningRate > 0 ? row.learningRate.toExponential() : MISSING)],
    [numeric('seeds'), (row) => count(row.seeds.length)],
  )
  return cells
}

const pValue = (p: number | undefined): string =>
  p === undefined ? MISSING : p < 0.001 ? '<0.001' : p.toFixed(3)

/** Every row with its intervals; differences and p are against the baseline of the same noise and augmentation. */
export function experimentTable(tables: ExperimentTables): Table {
  const cells = cellsOf(tables)
  return {
    caption: `${tables.title}: means over seeds and test prompts, 95 % intervals over both`,
    columns: cells.map(([column]) => column),
    rows: tables.rows.map((row) => cells.map(([, write]) => write(row))),
  }
}

const csvCell = (value: string | number | null | undefined): string => {
  const shown = value === null || value === undefined ? '' : String(value)
  return /[",\n\r]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown
}

/** Plain numbers, one line a row, RFC 4180. */
export function experimentCsv({ scorers, rows }: ExperimentTables): string {
  const figures = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))]
  const ends = ['', '_low', '_high']
  const head = [
    ...['variant', 'noise', 'augmented', 'seeds', 'learning_rate'],
    ...scorers.flatMap((scorer) => ends.map((end) => `${scorer}${end}`)),
    ...['difference', 'difference_low', 'difference_high', 'p', 'effect', 'win_rate'],
    ...figures,
  ]
  const lines = rows.map((row) => [
    ...[row.variant, row.noise, row.augmented, row.seeds.length, row.learningRate],
    ...scorers.flatMap((scorer) => estimateCells(row.rewards[scorer])),
    ...estimateCells(row.against?.difference),
    ...[row.against?.p, row.against?.effect, row.against?.winRate.value],
    ...figures.map((name) => row.figures[name]),
  ])
  return `${[head, ...lines].map((line) => line.map(csvCell).join(',')).join('\n')}\n`
}

const estimateCells = (e: ExperimentRow['rewards'][string] | undefined) => [
  e?.value,
  e?.interval?.[0],
  e?.interval?.[1],
]

const latex = (value: string): string =>
  value
    .replace(/[\\{}&%$#_^~]/g, (c) =>
      c === '\\' ? '\\textbackslash{}' : c === '^' || c === '~' ? `\\${c}{}` : `\\${c}`,
    )
    .replaceAll('−', '$-$')
    .replaceAll('–', '--')
    .replaceAll('<', '$<$')

/** A booktabs table. */
export function experimentLatex(tables: ExperimentTables): string {
  const { caption, columns, rows } = experimentTable(tables)
  const line = (cells: readonly string[]) => `${cells.map(latex).join(' & ')} \\\\`
  return [
    `% ${caption.replaceAll('\n', ' ')}`,
    `\\begin{tabular}{${columns.map((c) => (c.numeric ? 'r' : 'l')).join('')}}`,
    '\\toprule',
    line(columns.map((c) => c.label)),
    '\\midrule',
    ...rows.map(line),
    '\\bottomrule',
    '\\end{tabular}',
    '',
  ].join('\n')
}
