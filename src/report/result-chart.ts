/** The result in one picture: the reward of every system, with its interval. */

import { hasInterval } from '../show/numbers.js'
import type { Table } from '../show/table.js'
import { amount } from '../show/units.js'
import { type Chart, dotChart } from './kit/charts.js'
import { inkOf } from './kit/palette.js'
import { bestJudge } from './result-summary.js'
import { evaluationTable, seedsTable, systemsOf } from './tables.js'
import type { EvalReport, EvaluationReport, SeedsReport } from './types.js'

const WIDTH = 720

/** Means over seeds where there are several, else over prompts. @returns undefined where nothing was judged */
export function resultChart(
  report: Pick<EvalReport, 'evaluation' | 'multiSeed'>,
): { chart: Chart; numbers: Table } | undefined {
  return (
    (report.multiSeed && seedsChart(report.multiSeed)) ??
    (report.evaluation && promptsChart(report.evaluation))
  )
}

function promptsChart(evaluation: EvaluationReport) {
  const rows = evaluation.rows.filter((row) => row.source === 'total')
  const judge = bestJudge((key) => rows.some((row) => row[key]?.value != null))
  if (!judge) return undefined
  const [key, name] = judge
  const systems = systemsOf({ ...evaluation, rows })
  const dots = [...new Set(rows.map((row) => row.decoding))].map((decoding, k) => ({
    label: decoding ?? name,
    ink: inkOf(k),
    values: systems.map(
      (system) => rows.find((row) => row.system === system && row.decoding === decoding)?.[key],
    ),
  }))
  const title = titled(
    name,
    amount(rows[0].prompts, 'prompt'),
    rows.some((row) => hasInterval(row[key])),
  )
  return {
    chart: dotChart(title, name, systems, dots, WIDTH),
    numbers: evaluationTable({ ...evaluation, rows }),
  }
}

function seedsChart(multi: SeedsReport) {
  const judge = bestJudge((_, name) => multi.rows.some((row) => row.metric === name))
  if (!judge) return undefined
  const [, name] = judge
  const rows = multi.rows.filter((row) => row.metric === name)
  const dots = [{ label: name, ink: inkOf(0), values: rows.map((row) => row.mean) }]
  const title = titled(
    name,
    amount(multi.seeds.length, 'seed'),
    rows.some((row) => hasInterval(row.mean)),
  )
  const chart = dotChart(
    title,
    name,
    rows.map((row) => row.system),
    dots,
    WIDTH,
  )
  return { chart, numbers: seedsTable({ ...multi, rows }) }
}

const titled = (name: string, over: string, intervals: boolean) =>
  `${name[0].toUpperCase()}${name.slice(1)}, mean over ${over}${intervals ? ' with its 95 % interval' : ''}`
