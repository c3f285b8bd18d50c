/** The audit's tables. */
import type { AuditReport } from '../rescore/audit.js'
import type { AuditCounts, AuditedLengths, Histogram, TruthCheck } from '../rescore/audit-parts.js'
import type { FoldCalibration } from '../rescore/calibrate.js'
import type { Expected, ExpectedShares } from '../rescore/expected.js'
import type { ReliabilityBin } from '../rescore/reliability.js'
import type { ScorerAudit } from '../rescore/scorers/combine.js'
import * as n from '../show/numbers.js'
import { numeric, type Table, text } from '../show/table.js'
import { count, MISSING, wholePercent } from '../show/units.js'
import type { Proportion } from '../statistics/agreement.js'
import { prune } from './tables.js'

export const VERDICTS = ['kept', 'doubtful', 'reversed'] as const

/** What each verdict means, for people. */
export const VERDICT_WORDS = { kept: 'kept', doubtful: 'too close to call', reversed: 'reversed' } as const

/** One row per source, then all of them. */
export function auditTable(audit: AuditReport): Table {
  const sources = Object.entries(audit.sources)
  const rows = [...(sources.length > 1 ? sources : []), ['total', audit.total] as [string, AuditCounts]]
  const labels = VERDICTS.map((v) => numeric(VERDICT_WORDS[v]))
  return {
    caption: 'What became of the labels',
    columns: [
      text('source'),
      numeric('labels'),
      ...labels,
      numeric('reward agrees'),
      numeric('pairs contrasted'),
    ],
    rows: rows.map(([source, { labels, pairs, agreement }]) => [
      source,
      count(labels.total),
      ...VERDICTS.map((v) => countAndShare(labels[v], labels.total)),
      n.percentCounted(agreement),
      countAndShare(pairs.contrasted, pairs.total),
    ]),
  }
}

/** What may be hoped for, where labels err least of what is plausible, and where most. */
export function expectedTable({ low, high }: Expected): Table {
  const rows: [string, keyof ExpectedShares][] = [
    ['by the labels', 'labels'],
    ['by the higher reward', 'reward'],
    ['after rescoring', 'order'],
    ['by an order that knew the error of the labels', 'possible'],
  ]
  const end = ({ labelError }: ExpectedShares) =>
    numeric(`if ${wholePercent(labelError)} of the labels are wrong`)
  return {
    caption: 'Labelled pairs that are expected to be in the right order',
    columns: [text('order'), end(low), end(high)],
    rows: rows.map(([name, key]) => [name, wholePercent(low[key]), wholePercent(high[key])]),
  }
}

/** Rows: how the label truly was. Columns: what became of it. */
export function truthTable({ confusion }: TruthCheck): Table {
  const row = (name: 'right' | 'wrong') => {
    const all = VERDICTS.reduce((sum, v) => sum + confusion[v][name], 0)
    return [name, ...VERDICTS.map((v) => countAndShare(confusion[v][name], all)), count(all)]
  }
  return {
    caption: 'Labels that were right or wrong, and what became of them',
    columns: [text('label was'), ...VERDICTS.map((v) => numeric(VERDICT_WORDS[v])), numeric('all')],
    rows: [row('right'), row('wrong')],
  }
}

export function truthRatesTable(truth: TruthCheck): Table {
  const rows: [string, Proportion][] = [
    ['of the labels called reversed, those that are (precision)', truth.precision],
    ['of the labels that are wrong, those called reversed (recall)', truth.recall],
    ['labels that are right', truth.labelsRight],
    ['labels that are right after rescoring', truth.orderRight],
  ]
  return {
    caption: 'Against the truth',
    columns: [text('share'), numeric('value'), numeric('labels')],
    rows: rows.map(([name, p]) => [name, n.percentCounted(p), count(p.total)]),
  }
}

export function histogramTable(caption: string, histogram: Histogram, names: [string, string]): Table {
  const { edges, better, worse } = histogram
  return {
    caption,
    columns: ['reward from', 'to', ...names].map(numeric),
    rows: better.map((pairs, k) => [
      n.formatSigned(edges[k]),
      n.formatSigned(edges[k + 1]),
      count(pairs),
      count(worse[k]),
    ]),
  }
}

export function lengthTable(bias: AuditedLengths): Table {
  const rows = [
    ['the chosen answer is the longer one', n.percentCounted(bias.chosenLonger)],
    ['the best answer after rescoring is longer than the worst', n.percentCounted(bias.bestLonger)],
    ['the better answer of a contrasted pair is the longer one', n.percentCounted(bias.contrastedLonger)],
    ['correlation of reward and length', n.formatSigned(bias.rewardLength)],
    ['the same within pairs', n.formatSigned(bias.rewardLengthWithin)],
  ].filter((row) => row[1] !== MISSING)
  return { caption: `Length, in ${bias.unit}`, columns: [text('what'), numeric('value')], rows }
}

/** `at the edge` names values that stopped at the bound of the fit. */
export function calibrationTable(calibrations: readonly FoldCalibration[]): Table {
  const columns = [
    'pairs',
    'judged again',
    'reward unit T',
    'lapse',
    'annotator error e',
    'at the edge of the fit',
  ].map(numeric)
  const rows = calibrations.map((c) => [
    foldName(c.fold),
    count(c.pairs),
    c.votes?.pairs ? count(c.votes.pairs) : MISSING,
    n.numberEstimate({ value: c.temperature, interval: c.temperatureInterval }),
    n.percentEstimate({ value: c.lapse ?? null, interval: c.lapseInterval }),
    n.percentEstimate({ value: c.labelError, interval: c.labelErrorInterval }),
    c.atBound.map((b) => (b === 'temperature' ? 'T' : 'e')).join(', ') || MISSING,
  ])
  return prune({ caption: 'Calibration', columns: [text('fold'), ...columns], rows })
}

/** What labels say of each of several scorers. */
export const scorersTable = (scorers: readonly ScorerAudit[]): Table => ({
  caption: 'Scorers',
  columns: [
    text('scorer'),
    ...['weight', 'labels agree', 'nats it adds', 'correlation with length'].map(numeric),
  ],
  rows: scorers.map(({ name, weight, agreement, adds, length }) => [
    name,
    wholePercent(weight),
    n.percentCounted(agreement),
    adds.toFixed(1),
    n.formatSigned(length),
  ]),
})

/** A row a bin; without folds there is no column for them. */
export function reliabilityTable(
  calibrations: readonly { fold?: number; reliability: readonly ReliabilityBin[] }[],
): Table {
  return prune({
    caption: 'Predicted and observed agreement of the reward with the labels',
    columns: [text('fold'), ...['predicted', 'observed', 'pairs'].map(numeric)],
    rows: calibrations.flatMap(({ fold, reliability }) =>
      reliability.map((b) => [
        fold === undefined ? MISSING : foldName(fold),
        wholePercent(b.predicted),
        n.percentEstimate({ value: b.observed, interval: b.interval }),
        count(b.pairs),
      ]),
    ),
  })
}

export const foldName = (fold: number): string => `fold ${fold}`

const countAndShare = (part: number, all: number) =>
  all > 0 ? `${count(part)} (${wholePercent(part / all)})` : count(part)
