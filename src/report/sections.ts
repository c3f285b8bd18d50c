/** The sections of a report. A section whose part is missing has an empty body and is left out of the page. */
import type { AuditReport } from '../rescore/audit.js'
import type { FoldCalibration } from '../rescore/calibrate.js'
import { duration } from '../show/units.js'
import { calibrationTable, foldName, reliabilityTable, scorersTable } from './audit-tables.js'
import { curveCharts } from './curves.js'
import { reliabilityChart } from './kit/charts.js'
import { figure, figures, folded, type Html, list, paragraphs, type Section, table } from './kit/html.js'
import { inkOf } from './kit/palette.js'
import { resultChart } from './result-chart.js'
import { conclusions, summaryTable, trainingWarnings, warningLines } from './result-summary.js'
import * as t from './tables.js'
import type { AlignReport, EvalReport, ReportHeader, RewardModelReport } from './types.js'
import { headlineBody } from './verdicts/headline.js'

/** Warnings and notes, in words. */
export function remarksOf(header: ReportHeader, audit?: AuditReport): Html {
  return list(warningLines(header, audit), 'warnings') + list(header.notes ?? [], 'notes')
}

/** The result: one picture, its numbers, what can be concluded. What a reader must know of it comes last. */
export function resultSection(report: EvalReport, remarks: Html): Section {
  const { evaluation, multiSeed: multi } = report
  const drawn = resultChart(report)
  const body = [
    headlineBody(report),
    drawn && `<div class="wide">${figure(drawn.chart, drawn.numbers)}</div>`,
    evaluation && `<div class="result">${table(summaryTable(evaluation), true)}</div>`,
    evaluation && inWords(conclusions(evaluation)),
    multi && table(t.seedsTable(multi)),
  ]
  const shown = body.filter(Boolean).join('')
  return { id: 'result', heading: 'Result', body: shown && shown + remarks }
}

/** Many sentences open on demand: picture and table say the same. */
const inWords = (sentences: readonly string[]): Html =>
  sentences.length > 3 ? folded('Every two systems, in words', paragraphs(sentences)) : paragraphs(sentences)

export function curvesSection(curves: AlignReport['curves'] = []): Section {
  const items = curveCharts(curves).map(({ chart, numbers }) => figure(chart, numbers))
  const body = list(trainingWarnings(curves), 'warnings') + figures(items)
  return { id: 'curves', heading: 'Learning curves', body }
}

/** Accuracy on held-out pairs, the unit of the reward, and whether its beliefs come true. */
export function rewardModelSection(
  model: RewardModelReport | undefined,
  audit?: Pick<AuditReport, 'calibrations' | 'scorers'>,
): Section {
  const { calibrations = [], scorers } = audit ?? {}
  const accuracy = model ? table(t.foldsTable(model.folds)) : ''
  const meaning =
    'A reward difference of T is a log-odds of 1. e is the share of labels that the fit takes to be wrong.'
  const fits = calibrations.length ? table(calibrationTable(calibrations)) + paragraphs([meaning]) : ''
  return {
    id: 'reward-model',
    heading: 'Reward model',
    body: accuracy + (scorers ? table(scorersTable(scorers)) : '') + fits + reliabilityFigure(calibrations),
  }
}

function reliabilityFigure(calibrations: readonly FoldCalibration[]): Html {
  const models = calibrations
    .filter((c) => c.reliability.length > 0)
    .map((c, k) => ({ label: foldName(c.fold), ink: inkOf(k), bins: c.reliability }))
  if (models.length === 0) return ''
  const chart = reliabilityChart('Reliability: do beliefs come true?', models)
  const remark =
    'Each mark is one bin of pairs, with its interval. On the dashed line, beliefs are as sure as they should be.'
  return figures([figure(chart, reliabilityTable(calibrations), remark)])
}

/** Where the time went, and what it takes to run this again. */
export function runSection(report: AlignReport): Section {
  const stations = report.stations?.length ? table(t.stationsTable(report.stations)) : ''
  const sources = report.data?.sources?.length ? table(t.sourcesTable(report.data.sources)) : ''
  return { id: 'run', heading: 'The run', body: table(t.headerTable(report), true) + stations + sources }
}

/** One line under the title: when, how long. */
export function whenLine(report: AlignReport): string {
  const total = report.stations?.reduce((sum, s) => sum + s.seconds, 0)
  const day = report.created?.slice(0, 10)
  return [day, total === undefined ? undefined : `took ${duration(total)}`].filter(Boolean).join(' · ')
}
