/** The rows of an experiment as tables: for the page, Markdown and the terminal. */

import type { Against, ExperimentRow } from '../../evaluate/cell-rows.js'
import { LABELS } from '../../evaluate/cells.js'
import * as n from '../../show/numbers.js'
import { type Column, numeric, type Table, text } from '../../show/table.js'
import { amount, count, MISSING, wholePercent } from '../../show/units.js'
import type { Estimate } from '../../statistics/estimate.js'

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
  [LABELS]: 'held-out labels likelier',
  second: 'second reward model',
  reward: 'training reward',
}

/** A mean as its scorer counts: shares in percent, rewards with their sign. */
export const scorerMean = (scorer: string, e: Estimate | undefined): string =>
  scorer === LABELS ? n.percentEstimate(e) : n.signedEstimate(e)

export const scorerDifference = (scorer: string, e: Estimate | undefined): string =>
  scorer === LABELS ? n.pointsEstimate(e) : n.signedEstimate(e)

export const scorerName = (scorer: string): string => SCORER_NAMES[scorer] ?? scorer

type Figure = [key: string, label: string, write: (x: number) => string]

const two = (x: number) => n.formatNumber(x)

/** What the answers are like. */
const OF_ANSWERS: Figure[] = [
  ['kl', 'KL to the start', (x) => x.toFixed(2).replace('-', '−')],
  ['length', 'tokens', (x) => n.formatNumber(x, 1)],
  ['distinct2', 'distinct-2', two],
]

/** What was learnt from. */
const OF_DATA: Figure[] = [
  ['contrasted', 'pairs contrasted', wholePercent],
  ['reward_temperature', 'reward unit T', two],
  ['order_right_label', 'order right: labels', wholePercent],
  ['order_right_reward', 'reward alone', wholePercent],
  ['order_right_posterior', 'labels and reward', wholePercent],
  ['order_right', 'as trained on', wholePercent],
  ['audit_precision', 'audit precision', wholePercent],
  ['audit_recall', 'audit recall', wholePercent],
  ['rank_loss', 'rank loss', two],
]

type Cell = [column: Column, write: (row: ExperimentRow) => string]

/** Columns that say which row it is. */
function factorCells(rows: readonly ExperimentRow[]): Cell[] {
  const cells: Cell[] = [[text('method'), (row) => row.variant]]
  if (rows.some((row) => row.noise !== undefined))
    cells.push([numeric('labels reversed'), (row) => wholePercent(row.noise)])
  if (rows.some((row) => row.augmented !== undefined))
    cells.push([numeric('sampled answers'), (row) => count(row.augmented)])
  return cells
}

const present = (rows: readonly ExperimentRow[], figures: readonly Figure[]): Cell[] =>
  figures
    .filter(([key]) => rows.some((row) => row.figures[key] !== undefined))
    .map(([key, label, write]) => [numeric(label), ({ figures: of }) => written(of[key], write)])

const written = (e: Estimate | undefined, write: (x: number) => string): string =>
  typeof e?.value === 'number' ? write(e.value) : MISSING

/** Columns of the rewards, greedy and sampled beside each other. */
function rewardCells({ baseline, scorers, rows }: ExperimentTables): Cell[] {
  const sampled = (scorer: string) => rows.some((row) => row.sampled[scorer])
  const cells = scorers.flatMap((scorer): Cell[] => [
    [
      numeric(`${scorerName(scorer)}${sampled(scorer) ? ', greedy' : ''}`),
      (row) => scorerMean(scorer, row.rewards[scorer]),
    ],
    ...(sampled(scorer)
      ? [[numeric('sampled'), (row: ExperimentRow) => n.signedEstimate(row.sampled[scorer])] as Cell]
      : []),
  ])
  return [
    ...cells,
    [numeric(`against ${baseline}`), (row) => scorerDifference(scorers[0], row.against?.difference)],
    [numeric('p'), (row) => pValue(row.against?.p)],
    [text('verdict'), (row) => verdictOf(row.against?.difference)],
    ...(rows.some((row) => row.against?.sampled)
      ? [
          [
            numeric(`sampled, against ${baseline}`),
            (row: ExperimentRow) => n.signedEstimate(row.against?.sampled),
          ] as Cell,
        ]
      : []),
    [numeric('wins'), (row) => n.percentEstimate(row.against?.winRate)],
  ]
}

export const pValue = (p: number | undefined): string =>
  p === undefined ? MISSING : p < 0.001 ? '<0.001' : p.toFixed(3)

/** What the interval of a difference says; nothing without one. */
export function verdictOf(difference: Against['difference'] | undefined): string {
  const interval = difference?.interval
  if (!interval) return MISSING
  const [low, high] = interval
  return low > 0 ? 'better' : high < 0 ? 'worse' : "can't be told apart"
}

/** Whether real data was run with a single seed. */
export const isOneRealSeed = (rows: readonly ExperimentRow[]): boolean =>
  rows.every(({ seeds, rewards }) => seeds.length === 1 && rewards[LABELS])

/** What intervals are over: `5 seeds`, `3 to 5 seeds`, or `the prompts of one seed`. */
export function intervalsOver(rows: readonly ExperimentRow[]): string {
  const counts = rows.map(({ seeds }) => seeds.length)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  if (isOneRealSeed(rows)) return 'the prompts of one seed'
  return least === most ? amount(most, 'seed') : `${least} to ${most} seeds`
}

const tableOf = (caption: string, rows: readonly ExperimentRow[], cells: readonly Cell[]): Table => ({
  caption,
  columns: cells.map(([column]) => column),
  rows: rows.map((row) => cells.map(([, write]) => write(row))),
})

/** Every row with its intervals; differences and p are against the baseline of the same noise and augmentation. */
export function experimentTable(tables: ExperimentTables): Table {
  const { title, rows } = tables
  return tableOf(`${title}: means and 95 % t-intervals over ${intervalsOver(rows)}`, rows, [
    ...factorCells(rows),
    ...rewardCells(tables),
    ...present(rows, OF_ANSWERS),
    [numeric('learning rate'), (row) => (row.learningRate > 0 ? row.learningRate.toExponential() : MISSING)],
    [numeric('seeds'), (row) => count(row.seeds.length)],
  ])
}

/** The annotators' error with the interval that each cell had for it, in the mean. */
function errorCells(rows: readonly ExperimentRow[]): Cell[] {
  if (!rows.some((row) => row.figures.label_error)) return []
  const write = ({ figures: f }: ExperimentRow) => {
    const [low, high] = [f.label_error_low?.value, f.label_error_high?.value]
    const interval = typeof low === 'number' && typeof high === 'number' ? ([low, high] as const) : undefined
    return n.numberEstimate({ value: f.label_error?.value ?? null, ...(interval && { interval }) })
  }
  return [[numeric('annotator error e'), write]]
}

/** What each row's training learnt from, in the mean over seeds. None where no cell says so. */
export function experimentDataTable({ title, rows }: ExperimentTables): Table | undefined {
  const cells = [...errorCells(rows), ...present(rows, OF_DATA)]
  if (cells.length === 0) return undefined
  return tableOf(`${title}: what was learnt from`, rows, [...factorCells(rows), ...cells])
}
