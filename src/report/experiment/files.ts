/** The rows of an experiment for other programs: CSV and LaTeX. */

import type { ExperimentRow } from '../../evaluate/cell-rows.js'
import type { Estimate } from '../../statistics/estimate.js'
import { type ExperimentTables, experimentTable } from './tables.js'

const csvCell = (value: string | number | null | undefined): string => {
  const shown = value === null || value === undefined ? '' : String(value)
  return /[",\n\r]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown
}

const ENDS = ['', '_low', '_high']

const ends = (e: Estimate | undefined) => [e?.value, e?.interval?.[0], e?.interval?.[1]]

/** Plain numbers, one line a row, RFC 4180. */
export function experimentCsv({ scorers, rows }: ExperimentTables): string {
  const names = (of: (row: ExperimentRow) => Record<string, unknown>) => [
    ...new Set(rows.flatMap((row) => Object.keys(of(row)))),
  ]
  const figures = names((row) => row.figures)
  const sampled = names((row) => row.sampled)
  const three = (name: string) => ENDS.map((end) => `${name}${end}`)
  const head = [
    ...['variant', 'noise', 'augmented', 'seeds', 'learning_rate'],
    ...scorers.flatMap(three),
    ...sampled.flatMap((scorer) => three(`sampled_${scorer}`)),
    ...three('difference'),
    ...three('sampled_difference'),
    ...['p', 'win_rate'],
    ...figures,
  ]
  const lines = rows.map((row) => [
    ...[row.variant, row.noise, row.augmented, row.seeds.length, row.learningRate],
    ...scorers.flatMap((scorer) => ends(row.rewards[scorer])),
    ...sampled.flatMap((scorer) => ends(row.sampled[scorer])),
    ...ends(row.against?.difference),
    ...ends(row.against?.sampled),
    ...[row.against?.p, row.against?.winRate.value],
    ...figures.map((name) => row.figures[name]?.value),
  ])
  return `${[head, ...lines].map((line) => line.map(csvCell).join(',')).join('\n')}\n`
}

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
