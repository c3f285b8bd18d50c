/** The result in one table and a few sentences: what ends the quickstart and opens the report. */
import type { AuditReport } from '../rescore/audit.js'
import {
  formatNumber,
  hasInterval,
  numberEstimate,
  percentEstimate,
  shortSigned,
  signedEstimate,
} from '../show/numbers.js'
import type { Cells, Table } from '../show/table.js'
import { prune } from './tables.js'
import type {
  Curve,
  EvalReport,
  EvaluationReport,
  EvaluationRow,
  ReportHeader,
  ReportWarning,
} from './types.js'

/** The short table: one row per system over all prompts, in the first decoding that was evaluated. */
export function summaryTable(evaluation: EvaluationReport): Table {
  const rows = totalRows(evaluation)
  const labels = [
    'true reward',
    'training reward',
    'second reward model',
    `wins against ${evaluation.baseline}`,
    `length, ${evaluation.lengthUnit ?? 'tokens'}`,
    'ended by itself',
    'KL from start',
  ]
  const columns = [{ label: 'system' }, ...labels.map((label) => ({ label, numeric: true }))]
  const cells = rows.map((row) => [
    row.system,
    shortSigned(row.trueReward),
    // The reward that training chased is shown only where nothing better was measured.
    shortSigned(row.trueReward || row.secondReward ? undefined : row.reward),
    shortSigned(row.secondReward && { value: row.secondReward.value }),
    percentEstimate(row.againstStart?.rate),
    formatNumber(row.length?.value, 1),
    percentEstimate(row.ended),
    // Of the answers that were drawn at temperature 1, whatever decoding the table is of.
    numberEstimate(evaluation.rows.find(({ system, kl }) => system === row.system && kl)?.kl),
  ])
  return prune({ caption: 'Result', columns, rows: cells })
}

/** The table that ends the quickstart; systems need no heading there. */
export function terminalTable(report: EvalReport): Cells {
  if (!report.evaluation) return { columns: [], rows: [] }
  const table = summaryTable(report.evaluation)
  const columns = table.columns.map((column, k) => (k === 0 ? { label: '' } : column))
  return { columns, rows: table.rows }
}

/** What a result is judged by: the best judge first. */
const JUDGES = [
  ['trueReward', 'true reward'],
  ['secondReward', 'second reward model'],
  ['reward', 'training reward'],
] as const

type Judge = (typeof JUDGES)[number]

/** The best judge that was there. */
export const bestJudge = (measured: (key: Judge[0], name: string) => boolean): Judge | undefined =>
  JUDGES.find(([key, name]) => measured(key, name))

/** Sentences on every pair of systems; says so when two can't be told apart. */
export function conclusions(evaluation: EvaluationReport): string[] {
  if (evaluation.differences?.length) return evaluation.differences.map(pairedConclusion)
  const rows = totalRows(evaluation)
  const last = rows.at(-1)
  if (!last) return []
  return rows.slice(0, -1).flatMap((other) => unpairedConclusion(last, other))
}

/** Warnings of the whole and of its audit, each once, each with what to do. */
export function warningLines(header: ReportHeader, audit?: AuditReport): string[] {
  return sentences([...(header.warnings ?? []), ...(audit?.warnings ?? [])])
}

/** What was said of each training while it ran: it belongs beside the curves. */
export const trainingWarnings = (curves: readonly Curve[] = []): string[] =>
  sentences(curves.flatMap(({ warnings = [] }) => warnings))

const sentences = (warnings: readonly ReportWarning[]): string[] => [
  ...new Set(warnings.map((w) => [w.message, w.hint].filter(Boolean).join(' '))),
]

function pairedConclusion(d: NonNullable<EvaluationReport['differences']>[number]): string {
  const size = `${d.a} − ${d.b} in ${d.metric}: ${signedEstimate(d.difference)}`
  const { value } = d.difference
  if (value !== 0 && !hasInterval(d.difference)) return `${size}; no interval, so this may be chance.`
  if (!hasInterval(d.difference) || (d.difference.interval[0] <= 0 && d.difference.interval[1] >= 0))
    return `${size}; the two can’t be told apart.`
  return `${size}; ${d.difference.value > 0 ? d.a : d.b} is higher.`
}

function unpairedConclusion(a: EvaluationRow, b: EvaluationRow): string[] {
  const judge = bestJudge((key) => hasInterval(a[key]) && hasInterval(b[key]))
  if (!judge) return []
  const [metric, name] = judge
  const [x, y] = [a[metric], b[metric]]
  if (!hasInterval(x) || !hasInterval(y)) return []
  const size = `${name}: ${a.system} ${signedEstimate(x)}, ${b.system} ${signedEstimate(y)}`
  if (x.interval[0] > y.interval[1]) return [`${size}; ${a.system} is higher.`]
  if (y.interval[0] > x.interval[1]) return [`${size}; ${b.system} is higher.`]
  return [`${size}; the intervals overlap, the two can’t be told apart here.`]
}

function totalRows(evaluation: EvaluationReport): EvaluationRow[] {
  const totals = evaluation.rows.filter((r) => r.source === 'total')
  return totals.filter((r) => r.decoding === totals[0]?.decoding)
}
