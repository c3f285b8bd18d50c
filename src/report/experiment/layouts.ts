/** Tables of results pages: rows of an experiment in the layouts that a page asks for, as Markdown. */

import type { ExperimentRow } from '../../evaluate/cell-rows.js'
import * as n from '../../show/numbers.js'
import { type Cells, numeric, text } from '../../show/table.js'
import { MISSING, wholePercent } from '../../show/units.js'
import { ENOUGH_REPETITIONS } from '../../statistics/t-interval.js'
import { markdownCells } from '../markdown.js'
import {
  experimentDataTable,
  experimentTable,
  intervalsOver,
  isOneRealSeed,
  pValue,
  scorerDifference,
  scorerMean,
} from './tables.js'

export const LAYOUTS = ['rows', 'data', 'noise'] as const

/** What a page asks for. */
export interface TableRequest {
  /** `rows`: all columns; `data`: what was learnt from; `noise`: one value, a column for each level. */
  layout: (typeof LAYOUTS)[number]
  /** Of `noise`: `greedy`, `sampled`, `against`, `sampled against`, or the name of a single figure. */
  value?: string
  /** Only these variants, in this order. */
  variants?: readonly string[]
}

export interface ResultRows {
  baseline: string
  scorers: readonly string[]
  rows: readonly ExperimentRow[]
}

/** The table, and below it where its cells come from. */
export function resultTable(results: ResultRows, request: TableRequest): string {
  const { variants } = request
  const rows = variants
    ? variants.flatMap((name) => results.rows.filter(({ variant }) => variant === name))
    : results.rows
  const chosen = { ...results, rows, title: '' }
  const table =
    request.layout === 'noise'
      ? noiseTable(results, rows, request.value ?? 'greedy')
      : request.layout === 'data'
        ? (experimentDataTable(chosen) ?? { columns: [], rows: [] })
        : experimentTable(chosen)
  return `${markdownCells(table)}\n\n95 % t-intervals over ${intervalsOver(rows)}${reservation(rows)}.`
}

/** What too few seeds can't say. */
function reservation(rows: readonly ExperimentRow[]): string {
  if (isOneRealSeed(rows)) return ': another seed would give other models, and they say nothing of that'
  return rows.some(({ seeds }) => seeds.length < ENOUGH_REPETITIONS) ? ', which is few: they are wide' : ''
}

function noiseTable(
  { baseline, scorers: [judge] }: ResultRows,
  rows: readonly ExperimentRow[],
  value: string,
): Cells {
  const levels = [...new Set(rows.map(({ noise }) => noise))].sort((a, b) => (a ?? 0) - (b ?? 0))
  const variants = [...new Set(rows.map(({ variant }) => variant))]
  const compared = value === 'against' || value === 'sampled against'
  const shown = variants.filter((variant) => !compared || variant !== baseline)
  return {
    columns: [text('labels reversed'), ...levels.map((level) => numeric(wholePercent(level)))],
    rows: shown.map((variant) => [
      variant,
      ...levels.map((level) => {
        const row = rows.find((r) => r.variant === variant && r.noise === level)
        return row ? written(row, judge, value) : MISSING
      }),
    ]),
  }
}

function written(row: ExperimentRow, judge: string, value: string): string {
  const { against } = row
  switch (value) {
    case 'greedy':
      return scorerMean(judge, row.rewards[judge])
    case 'sampled':
      return n.signedEstimate(row.sampled[judge])
    case 'against':
      return against ? `${scorerDifference(judge, against.difference)}, p ${pValue(against.p)}` : MISSING
    case 'sampled against':
      return n.signedEstimate(against?.sampled)
    default:
      return SHARES.test(value)
        ? wholePercent(row.figures[value]?.value ?? undefined)
        : n.formatNumber(row.figures[value]?.value ?? undefined)
  }
}

/** Figures that are shares of something. */
const SHARES = /^(order_right|audit_|contrasted)/

/** One trial of `--tune`. */
export interface Tried {
  method: string
  learningRate: number
  reward: number
}

/** Rewards by method and rate, of several betas the best; the best of a row in bold. */
export function ratesTable(tried: readonly Tried[]): string {
  const rates = [...new Set(tried.map(({ learningRate }) => learningRate))].sort((a, b) => a - b)
  const methods = [...new Set(tried.map(({ method }) => method))]
  const rows = methods.map((method) => {
    const best = rates.map((rate) =>
      Math.max(...tried.flatMap((t) => (t.method === method && t.learningRate === rate ? [t.reward] : []))),
    )
    const most = Math.max(...best)
    return `| ${[method, ...best.map((x) => (x === most ? `**${n.formatNumber(x)}**` : n.formatNumber(x)))].join(' | ')} |`
  })
  const head = ['method', ...rates.map((rate) => rate.toExponential())]
  return [`| ${head.join(' | ')} |`, `| --- |${rates.map(() => ' ---: |').join('')}`, ...rows].join('\n')
}

/** A number that a sentence states. */
export interface ClaimedNumber {
  variant: string
  noise?: number
  augmented?: number
  /** As a table's `value`, `wins`, `p`, or the name of a single figure. */
  value: string
  /** An end of the interval instead of the mean. */
  end?: 'low' | 'high'
  /** Over all rows that match: the least or the largest. */
  over?: 'min' | 'max'
  /** `signed` has a plus; 2 digits unless `digits` says otherwise. */
  as?: 'plain' | 'signed' | 'percent'
  digits?: number
}

/** The number in the words of the page; undefined where no cell has it. */
export function claimedNumber(results: ResultRows, claim: ClaimedNumber): string | undefined {
  const rows = results.rows.filter(
    ({ variant, noise, augmented }) =>
      variant === claim.variant &&
      (claim.noise === undefined || noise === claim.noise) &&
      (claim.augmented === undefined || augmented === claim.augmented),
  )
  const values = rows.flatMap((row) => numberOf(row, results.scorers[0], claim) ?? [])
  if (values.length === 0 || (claim.over === undefined && values.length > 1)) return undefined
  const value = claim.over === 'max' ? Math.max(...values) : Math.min(...values)
  if (claim.as === 'percent') return wholePercent(value)
  const write = claim.as === 'signed' ? n.formatSigned : n.formatNumber
  return write(value, claim.digits ?? 2)
}

function numberOf(row: ExperimentRow, judge: string, { value, end }: ClaimedNumber): number | undefined {
  const estimates: Record<string, ExperimentRow['figures'][string] | undefined> = {
    greedy: row.rewards[judge],
    sampled: row.sampled[judge],
    against: row.against?.difference,
    'sampled against': row.against?.sampled,
    wins: row.against?.winRate,
    p: { value: row.against?.p ?? null },
  }
  const estimate = Object.hasOwn(estimates, value) ? estimates[value] : row.figures[value]
  if (end) return estimate?.interval?.[end === 'low' ? 0 : 1]
  return estimate?.value ?? undefined
}
