/** What a record of verdicts shows: who wins how often, by how much, and how far the raters agree. */

import {
  type ClusteredEstimate,
  type Clusters,
  clusteredDifference,
  clusteredRate,
  clustersOf,
} from '../statistics/clustered.js'
import type { Estimate } from '../statistics/estimate.js'
import { groupBy } from '../statistics/group-by.js'
import { krippendorffAlpha } from '../statistics/krippendorff.js'
import { type LengthControlled, lengthControlled } from '../statistics/length-controlled.js'
import { type BradleyTerryFit, bradleyTerry, type Contest } from '../statistics/strengths/bradley-terry.js'
import { characters } from '../text/lengths.js'
import { countedRows } from './counted.js'
import { flipped, type JudgedRow, scoreOf, standing } from './standing.js'
import { type Style, styleTerms } from './style.js'
import { aligned } from './summary.js'
import type { Comparison, VerdictRow } from './types.js'

export interface FigureOptions {
  /** The system that others are compared with; left out: the first of the first item. */
  baseline?: string
  ties?: 'half' | 'rao_kupper'
  /** Looks that strengths are freed from. */
  style?: readonly Style[]
  seed?: number | string
}

/** A system against the baseline. */
export interface AgainstBaseline {
  system: string
  wins: number
  ties: number
  bothBad: number
  losses: number
  winRate: ClusteredEstimate
  /** Where the texts are known. */
  lengthControlled?: LengthControlled
}

export interface Strength {
  system: string
  /** Logits above the baseline. Absent where no chain of verdicts leads to it. */
  above?: ClusteredEstimate
}

export interface VerdictFigures {
  baseline: string
  /** Counted verdicts; both orders of a judge are one. */
  verdicts: number
  items: number
  raters: number
  errors: number
  skipped: number
  against: AgainstBaseline[]
  /** Win rates against the baseline, `a` minus `b`. */
  differences: { a: string; b: string; difference: ClusteredEstimate }[]
  strengths: Strength[]
  /** Someone never lost, or never won: strengths are pulled to each other, and their intervals are rough. */
  separated: boolean
  /** Logits of the root mean square of each look. */
  style: { style: Style; effect: ClusteredEstimate }[]
  /** Logits that standing first is worth, over all verdicts as they were given; absent where the order never varied. */
  slot?: ClusteredEstimate
  /** Agreement of raters: ordinal of a, tie, b; nominal with both bad apart. */
  alpha: { ordinal: Estimate; nominal: Estimate }
}

/**
 * Figures of some rows, such as those of the people alone. Intervals are over prompts and raters.
 * @returns undefined where no verdict counts
 */
export function verdictFigures(
  { items }: Pick<Comparison, 'items'>,
  rows: readonly VerdictRow[],
  options: FigureOptions = {},
): VerdictFigures | undefined {
  const counted = countedRows(rows)
  if (counted.length === 0) return undefined
  const systems = [...new Set([...items.flatMap((i) => i.answers.map((a) => a.system))])]
  const known = systems.filter((system) => counted.some((row) => row.systems.includes(system)))
  const baseline = known.includes(options.baseline ?? '') ? String(options.baseline) : known[0]
  const texts = textsOf(items)
  const others = known.filter((system) => system !== baseline)
  const { errors, skipped } = standing(rows)
  const fit = fitOf(counted, known, texts, options)
  const slot = slotEffect(rows, known)
  return {
    baseline,
    verdicts: counted.length,
    items: new Set(counted.map(({ item }) => item)).size,
    raters: new Set(counted.map(({ rater }) => rater)).size,
    errors: errors.length,
    skipped: skipped.length,
    against: others.flatMap((system) => againstBaseline(system, baseline, counted, texts, options) ?? []),
    differences: differencesOf(others, baseline, counted),
    strengths: known.map((system) => strengthOf(system, baseline, known, fit)),
    separated: fit.fit.ridge > 0,
    style: (options.style ?? []).map((style, k) => ({ style, effect: styleEffect(fit, known.length + k) })),
    ...(slot && { slot }),
    alpha: alphasOf(counted, options.seed),
  }
}

type Texts = ReadonlyMap<string, string>

/** Texts by the hash of the answer. */
const textsOf = (items: Comparison['items']): Texts =>
  new Map(
    items.flatMap(({ answers }) =>
      answers.flatMap(({ answer, text }): [string, string][] => (text === undefined ? [] : [[answer, text]])),
    ),
  )

/** Rows of two systems, seen from the first. */
const between = (rows: readonly JudgedRow[], system: string, other: string): JudgedRow[] =>
  rows
    .filter(({ systems }) => systems.includes(system) && systems.includes(other))
    .map((row) => (row.systems[0] === system ? row : flipped(row)))

/** Both orders, and all raters, of one prompt are one cluster. */
const clustersOfRows = (rows: readonly VerdictRow[]): Clusters =>
  clustersOf(
    rows.map(({ prompt }) => prompt),
    rows.map(({ rater }) => rater),
  )

function againstBaseline(
  system: string,
  baseline: string,
  counted: readonly JudgedRow[],
  texts: Texts,
  { seed }: FigureOptions,
): AgainstBaseline | undefined {
  const rows = between(counted, system, baseline)
  if (rows.length === 0) return undefined
  const count = (verdict: JudgedRow['verdict']) => rows.filter((row) => row.verdict === verdict).length
  const lengths = rows.map(({ a, b }) => [a, b].map((answer) => texts.get(answer)))
  const scores = rows.map(({ verdict }) => scoreOf(verdict))
  const withLengths = lengths.every((pair) => pair.every((text) => text !== undefined))
  const lengthRows = rows.map(({ prompt, rater }, i) => {
    const [own, other] = lengths[i].map((text) => characters(text ?? ''))
    return { prompt, rater, score: scores[i], longer: own - other }
  })
  const controlled = withLengths ? lengthControlled(lengthRows, { seed }) : undefined
  return {
    system,
    wins: count('a'),
    ties: count('tie'),
    bothBad: count('both_bad'),
    losses: count('b'),
    winRate: clusteredRate(scores, clustersOfRows(rows)),
    ...(controlled && { lengthControlled: controlled }),
  }
}

function differencesOf(others: readonly string[], baseline: string, counted: readonly JudgedRow[]) {
  return others.flatMap((a, i) =>
    others.slice(0, i).flatMap((b) => {
      const [first, second] = [a, b].map((system) => between(counted, system, baseline))
      if (first.length === 0 || second.length === 0) return []
      const rows = [...first, ...second]
      const group = rows.map((_, k) => Number(k >= first.length))
      const scores = rows.map(({ verdict }) => scoreOf(verdict))
      return [{ a, b, difference: clusteredDifference(scores, group, clustersOfRows(rows)) }]
    }),
  )
}

interface Fitted {
  fit: BradleyTerryFit
  clusters: Clusters
}

const contestOf = (row: JudgedRow, systems: readonly string[]): Contest => ({
  a: systems.indexOf(row.systems[0]),
  b: systems.indexOf(row.systems[1]),
  score: scoreOf(row.verdict),
  slot: row.shown === 'ab' ? 1 : -1,
})

function fitOf(
  counted: readonly JudgedRow[],
  systems: readonly string[],
  texts: Texts,
  { ties = 'half', style = [] }: FigureOptions,
): Fitted {
  const pairs = counted.map(({ a, b }) => [texts.get(a) ?? '', texts.get(b) ?? ''] as const)
  const terms = styleTerms(pairs, style)
  const contests = counted.map((row, i) => ({ ...contestOf(row, systems), style: terms[i] }))
  return { fit: bradleyTerry(contests, systems.length, { ties }), clusters: clustersOfRows(counted) }
}

function strengthOf(
  system: string,
  baseline: string,
  systems: readonly string[],
  { fit, clusters }: Fitted,
): Strength {
  const above = fit.difference(systems.indexOf(system), systems.indexOf(baseline), clusters)
  return { system, ...(above && system !== baseline && { above }) }
}

/** @param at the place of the term among the parameters */
function styleEffect({ fit, clusters }: Fitted, at: number): ClusteredEstimate {
  const weights = Array.from({ length: at + 1 }, (_, k) => Number(k === at))
  return fit.interval(weights, clusters)
}

/** Over all verdicts as they were given: merged orders would hide it. */
function slotEffect(rows: readonly VerdictRow[], systems: readonly string[]): ClusteredEstimate | undefined {
  const judged = standing(rows)
    .judged.filter(({ gold }) => gold === undefined)
    .map(aligned)
  // A pair that was always shown one way says nothing of the place.
  const byPair = groupBy(judged, ({ systems: pair }) => pair.join('\n'))
  const varied = [...byPair.values()].some((own) => new Set(own.map(({ shown }) => shown)).size > 1)
  if (!varied || judged.every(({ kind }) => kind === 'reward' || kind === 'rule')) return undefined
  const fit = bradleyTerry(
    judged.map((row) => contestOf(row, systems)),
    systems.length,
    { slot: true },
  )
  return styleEffect({ fit, clusters: clustersOfRows(judged) }, systems.length)
}

const ORDINAL = { a: 1, tie: 0, both_bad: 0, b: -1 } as const
const NOMINAL = { a: 1, tie: 0, both_bad: 2, b: -1 } as const

function alphasOf(counted: readonly JudgedRow[], seed?: number | string): VerdictFigures['alpha'] {
  const units = [...groupBy(counted, ({ item, a, b }) => JSON.stringify([item, a, b])).values()]
  const ratings = (values: typeof ORDINAL | typeof NOMINAL) =>
    units.map((rows) => rows.map(({ verdict }) => values[verdict]))
  return {
    ordinal: krippendorffAlpha(ratings(ORDINAL), 'ordinal', { seed }),
    nominal: krippendorffAlpha(ratings(NOMINAL), 'nominal', { seed }),
  }
}
