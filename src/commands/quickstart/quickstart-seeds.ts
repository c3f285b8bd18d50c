/** Several seeds of the quickstart as one table: means over seeds, with intervals over seeds. */

import type { AlignReport, EvaluationRow, SeedsReport } from '../../report/types.js'
import type { Judgement } from '../../report/verdicts/judgements.js'
import { withinShares } from '../../statistics/estimate.js'
import { meanInterval } from '../../statistics/t-interval.js'
import type { AlignResult } from '../align/align-result.js'

export interface SeedRun {
  seed: number
  report: AlignReport
  result: AlignResult
}

/** What the table is made of. */
type ReportedRun = Pick<SeedRun, 'seed' | 'report'>

const METRICS: [name: string, of: (row: EvaluationRow) => number | null | undefined][] = [
  ['true reward', (row) => row.trueReward?.value],
  ['training reward', (row) => row.reward?.value],
  ['second reward model', (row) => row.secondReward?.value],
  ['wins against start', (row) => row.againstStart?.rate?.value],
  ['length', (row) => row.length?.value],
]

/** The last seed's report, with the table over all seeds in front. */
export function seedsReport(runs: readonly ReportedRun[]): AlignReport {
  const { measures: _ofLastSeed, ...last } = runs[runs.length - 1].report
  return {
    ...last,
    judgements: last.judgements?.map((judgement) => overSeeds(judgement, runs)),
    seeds: runs.map(({ seed }) => seed),
    command: `${last.command}${last.command?.includes(' -- ') ? '' : ' --'} --seeds ${runs.length}`,
    notes: [
      ...(last.notes?.slice(0, 1) ?? []),
      `The table over seeds has 95 % t-intervals over ${runs.length} seeds; all else is of the last seed.`,
    ],
    multiSeed: { seeds: runs.map(({ seed }) => seed), rows: rowsOf(runs) },
  }
}

/** What a judge says of a system, as the mean over seeds with its interval. */
function overSeeds({ lengthControlled: _, ...last }: Judgement, runs: readonly ReportedRun[]): Judgement {
  const rates = runs.flatMap(
    ({ report }) =>
      report.judgements?.find(({ system, who }) => system === last.system && who === last.who)?.winRate
        .value ?? [],
  )
  return { ...last, winRate: withinShares(meanInterval(rates)), seeds: rates.length }
}

function rowsOf(runs: readonly ReportedRun[]): SeedsReport['rows'] {
  const totals = runs.map(
    ({ report }) => report.evaluation?.rows.filter((row) => row.source === 'total') ?? [],
  )
  return totals[0].flatMap((row, i) =>
    METRICS.flatMap(([metric, of]) => {
      const values = totals.map((rows) => of(rows[i]) ?? null)
      const known = values.filter((v) => v !== null)
      if (known.length === 0) return []
      return [{ system: `${row.system} (${row.decoding})`, metric, mean: meanInterval(known), values }]
    }),
  )
}
