/** The tables of a report. */

import * as n from '../show/numbers.js'
import { numeric, type Table, text } from '../show/table.js'
import { amount, bytes, count, duration, MISSING, wholePercent } from '../show/units.js'
import type { Estimate } from '../statistics/estimate.js'
import type {
  AlignReport,
  Curve,
  EvaluationReport,
  EvaluationRow,
  ReportHeader,
  RewardModelReport,
  ScorerPair,
  SeedsReport,
} from './types.js'

/** Command, date, seeds, machine: what it takes to run this again. */
export function headerTable(report: ReportHeader & Partial<Pick<AlignReport, 'model' | 'data'>>): Table {
  const { machine, model, data } = report
  const cpu = [machine?.cpu, machine?.threads && amount(machine.threads, 'thread')]
  const rows: [string, string | undefined][] = [
    ['command', report.command],
    ['created', report.created?.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')],
    ['clha', report.version],
    ['seeds', report.seeds?.join(', ')],
    ['machine', cpu.filter(Boolean).join(', ')],
    ['memory', machine?.memoryBytes ? bytes(machine.memoryBytes) : undefined],
    ['libtorch', machine?.libtorch],
    [
      'model',
      model && [`${n.formatLarge(model.parameters)} parameters`, model.shape].filter(Boolean).join(', '),
    ],
    ['pairs', data && count(data.pairs)],
    ['labels reversed on purpose', data?.noise === undefined ? undefined : wholePercent(data.noise)],
  ]
  const present = rows.filter((row): row is [string, string] => Boolean(row[1]))
  return { caption: 'The run', columns: [text('what'), text('value')], rows: present }
}

export function sourcesTable(sources: { source: string; pairs: number; testPrompts?: number }[]): Table {
  const columns = [text('source'), numeric('pairs'), numeric('test prompts')]
  const rows = sources.map((s) => [s.source, count(s.pairs), count(s.testPrompts)])
  return prune({ caption: 'Data by source', columns, rows })
}

export function stationsTable(stations: { name: string; seconds: number; detail?: string }[]): Table {
  const rows = stations.map((s) => [s.name, duration(s.seconds), s.detail ?? MISSING])
  const total = stations.reduce((sum, s) => sum + s.seconds, 0)
  rows.push(['total', duration(total), ''])
  return prune({ caption: 'Stations', columns: [text('station'), numeric('time'), text('detail')], rows })
}

/** At most ten evenly spaced points, first and last among them. */
export function curveTable(curves: Curve[], metrics: string[]): Table {
  const many = new Set(curves.map((c) => c.name)).size > 1
  const rows = curves.flatMap((curve) =>
    pickEvenly(curve.points, 10).map((p) => [
      ...(many ? [curve.name] : []),
      count(p.step),
      ...metrics.map((m) => n.formatNumber(p[m], 3)),
    ]),
  )
  const total = curves.reduce((sum, c) => sum + c.points.length, 0)
  const remark = total > rows.length ? ` (${rows.length} of ${count(total)} points; report.json has all)` : ''
  const columns = [...(many ? [text('run')] : []), numeric('step'), ...metrics.map(numeric)]
  return { caption: `${many ? 'Runs' : curves[0].name}: ${metrics.join(', ')}${remark}`, columns, rows }
}

export function foldsTable(folds: RewardModelReport['folds']): Table {
  const columns = [text('reward model'), numeric('held-out pairs'), numeric('held-out accuracy')]
  const rows = folds.map((f) => [f.name, count(f.pairs), n.percentEstimate(f.accuracy)])
  return prune({ caption: 'Accuracy on pairs it did not train on', columns, rows })
}

/** Systems in the order in which they first appear. */
export const systemsOf = (evaluation: EvaluationReport): string[] => [
  ...new Set(evaluation.rows.map((r) => r.system)),
]

/** Rewards and wins, totals first, the systems of a source together. Columns that hold nothing are left out. */
export function evaluationTable({ baseline, rows }: EvaluationReport): Table {
  const rewards = ['prompts', 'true reward', 'training reward', 'second reward model', 'sigmoid reward']
  const columns = [...IDENTITY, ...[...rewards, `wins against ${baseline}`, 'win / tie / loss'].map(numeric)]
  const cells = inOrder(rows).map((row, _, all) => [
    ...identity(row, all),
    count(row.prompts),
    n.shortSigned(row.trueReward),
    n.shortSigned(row.reward),
    n.shortSigned(row.secondReward),
    n.numberEstimate(row.sigmoidReward),
    n.percentEstimate(row.againstStart?.rate),
    row.againstStart ? duel(row.againstStart) : MISSING,
  ])
  return prune({ caption: 'Rewards and wins', columns, rows: cells })
}

/** A row for each scorer, system and source; a scorer's rows together. Columns that hold nothing are left out. */
export function scorersTable({ baseline, scorers = [] }: EvaluationReport, caption = 'By scorer'): Table {
  const labels = [
    'prompts',
    'mean',
    'mean of sigmoids',
    'win / tie / loss',
    `wins against ${baseline}`,
    'at equal length',
    'correlation with length',
  ]
  const names = [...new Set(scorers.map(({ scorer }) => scorer))]
  const cells = names
    .flatMap((name) => inOrder(scorers.filter(({ scorer }) => scorer === name)))
    .map((row, _, all) => [
      row.scorer,
      ...identity(row, all),
      count(row.prompts),
      n.shortSigned(row.reward),
      n.numberEstimate(row.sigmoid),
      row.against ? duel(row.against) : MISSING,
      n.percentEstimate(row.against?.rate),
      n.percentEstimate(row.lengthControlled),
      n.formatSigned(row.lengthCorrelation),
    ])
  return prune({ caption, columns: [text('scorer'), ...IDENTITY, ...labels.map(numeric)], rows: cells })
}

/** What the answers look like, without anyone's judgement. */
export function answersTable({ rows, lengthUnit = 'tokens' }: EvaluationReport): Table {
  const columns = [...IDENTITY, ...[`length, ${lengthUnit}`, 'BLEU', 'distinct', 'repetition'].map(numeric)]
  const cells = inOrder(rows).map((row, _, all) => [
    ...identity(row, all),
    n.numberEstimate(row.length, 1),
    n.numberEstimate(row.bleu),
    n.numberEstimate(row.distinct),
    n.numberEstimate(row.repetition),
  ])
  return prune({ caption: 'The answers themselves', columns, rows: cells })
}

const IDENTITY = ['system', 'source', 'decoding'].map(text)
type Placed = Pick<EvaluationRow, 'system' | 'source' | 'decoding'>
const identity = (row: Placed, rows: readonly Placed[]) => [
  row.system,
  // A table of totals alone needs no column that says so.
  rows.every((r) => r.source === 'total') ? MISSING : row.source,
  row.decoding ?? MISSING,
]

function inOrder<Row extends Placed>(rows: readonly Row[]): Row[] {
  const sources = sourcesOf(rows)
  const decodings = [...new Set(rows.map((r) => r.decoding))]
  const rank = (r: Placed) => sources.indexOf(r.source) * decodings.length + decodings.indexOf(r.decoding)
  return [...rows].sort((a, b) => rank(a) - rank(b))
}

/** The total first, then sources in order of appearance. */
export function sourcesOf(rows: readonly Pick<EvaluationRow, 'source'>[]): string[] {
  const names = [...new Set(rows.map((r) => r.source))]
  return [...names.filter((s) => s === 'total'), ...names.filter((s) => s !== 'total')]
}

const duel = ({ wins, ties, losses }: NonNullable<EvaluationRow['againstStart']>) =>
  [wins, ties, losses].map((x) => count(x)).join(' / ')

export function agreementTable(agreement: ScorerPair[]): Table {
  const measures = ['Pearson', 'Spearman', 'same order', 'answers'].map(numeric)
  const columns = [text('scorer'), text('and'), text('on the answers of'), ...measures]
  const rows = agreement.map((p) => [
    p.a,
    p.b,
    p.answers ?? MISSING,
    n.formatNumber(p.pearson),
    n.formatNumber(p.spearman),
    n.percentEstimate(p.sameOrder),
    count(p.count),
  ])
  return prune({ caption: 'How far the scorers agree', columns, rows })
}

export function differencesTable(differences: NonNullable<EvaluationReport['differences']>): Table {
  return {
    caption: 'Paired differences on the same prompts',
    columns: [text('systems'), text('metric'), numeric('difference')],
    rows: differences.map((d) => [`${d.a} − ${d.b}`, d.metric, n.signedEstimate(d.difference)]),
  }
}

export function seedsTable(multi: SeedsReport): Table {
  return {
    caption: `Over ${amount(multi.seeds.length, 'seed')}`,
    columns: [
      text('system'),
      text('metric'),
      numeric('mean'),
      ...multi.seeds.map((s) => numeric(`seed ${s}`)),
    ],
    rows: multi.rows.map((r) => {
      const { whole, one } = styleOf(r.metric)
      return [r.system, r.metric, whole(r.mean), ...r.values.map((x) => one(x))]
    }),
  }
}

/** Rewards carry their sign, shares are percentages, lengths are plain. */
function styleOf(metric: string): { whole(e: Estimate): string; one(x: number | null): string } {
  if (metric.startsWith('wins')) return { whole: n.percentEstimate, one: wholePercent }
  if (metric.startsWith('length'))
    return { whole: (e) => n.numberEstimate(e, 1), one: (x) => n.formatNumber(x, 1) }
  return { whole: n.signedEstimate, one: n.formatSigned }
}

/** Leaves out columns that hold nothing in any row. */
export function prune(table: Table): Table {
  const keep = table.columns.map((_, c) => table.rows.some((row) => row[c] !== MISSING && row[c] !== ''))
  return {
    caption: table.caption,
    columns: table.columns.filter((_, c) => keep[c]),
    rows: table.rows.map((row) => row.filter((_, c) => keep[c])),
  }
}

export function pickEvenly<T>(items: T[], count: number): T[] {
  if (items.length <= count) return items
  return Array.from({ length: count }, (_, k) => items[Math.round((k * (items.length - 1)) / (count - 1))])
}
