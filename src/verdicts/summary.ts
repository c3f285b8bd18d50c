/** What a record of verdicts comes to in counts: who judged how much of what, at what price. */
import { groupBy } from '../statistics/group-by.js'
import { quantile } from '../statistics/statistics.js'
import { flipped, type JudgedRow, scoreOf, standing } from './standing.js'
import type { RaterKind, VerdictRow } from './types.js'

export interface PairCount {
  systems: readonly [a: string, b: string]
  a: number
  b: number
  tie: number
  bothBad: number
  /** Wins of `a` and half of the ties over all verdicts. */
  winRate: number
}

export interface RaterCount {
  rater: string
  kind: RaterKind
  verdicts: number
  errors: number
  skipped: number
  /** Median; absent where nobody measured. */
  milliseconds?: number
  cost?: number
}

export interface VerdictSummary {
  /** Verdicts that stand and say something of the answers. */
  verdicts: number
  items: number
  errors: number
  skipped: number
  undone: number
  pairs: PairCount[]
  raters: RaterCount[]
  /** Absent where no row has a cost. */
  cost?: number
}

/** Counts of `rows`; pairs in the order of their systems' names, raters in the order in which they first appear. */
export function summarizeVerdicts(rows: readonly VerdictRow[]): VerdictSummary {
  const { judged, errors, skipped, undone } = standing(rows)
  const cost = costOf(rows)
  return {
    verdicts: judged.length,
    items: new Set(judged.map(({ item }) => item)).size,
    errors: errors.length,
    skipped: skipped.length,
    undone,
    pairs: pairCounts(judged),
    raters: [...groupBy(rows, ({ rater }) => rater)].map(([rater, own]) => raterCount(rater, own)),
    ...(cost !== undefined && { cost }),
  }
}

/** Every row seen from the system whose name comes first, so that both orders of a pair are one pair. */
export const aligned = <Row extends VerdictRow>(row: Row): Row =>
  row.systems[0] <= row.systems[1] ? row : flipped(row)

function pairCounts(judged: readonly JudgedRow[]): PairCount[] {
  const pairs = groupBy(judged.map(aligned), ({ systems }) => JSON.stringify(systems))
  return [...pairs.values()]
    .map((rows) => {
      const count = (verdict: JudgedRow['verdict']) => rows.filter((row) => row.verdict === verdict).length
      const score = rows.reduce((sum, { verdict }) => sum + scoreOf(verdict), 0)
      return {
        systems: rows[0].systems,
        a: count('a'),
        b: count('b'),
        tie: count('tie'),
        bothBad: count('both_bad'),
        winRate: score / rows.length,
      }
    })
    .sort((x, y) => (x.systems.join('\n') < y.systems.join('\n') ? -1 : 1))
}

function raterCount(rater: string, own: readonly VerdictRow[]): RaterCount {
  const { judged, errors, skipped } = standing(own)
  const times = judged.flatMap(({ milliseconds }) => milliseconds ?? [])
  const cost = costOf(own)
  return {
    rater,
    kind: own[0].kind,
    verdicts: judged.length,
    errors: errors.length,
    skipped: skipped.length,
    ...(times.length > 0 && { milliseconds: quantile(times, 0.5) }),
    ...(cost !== undefined && { cost }),
  }
}

function costOf(rows: readonly VerdictRow[]): number | undefined {
  const known = rows.flatMap(({ cost }) => cost ?? [])
  return known.length > 0 ? known.reduce((sum, cost) => sum + cost, 0) : undefined
}
