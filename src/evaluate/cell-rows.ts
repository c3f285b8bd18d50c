/** From cells to the rows of a table: means over seeds with t-intervals, and differences from a baseline, seed by seed. */

import { winOf } from '../statistics/agreement.js'
import { type Estimate, withinShares } from '../statistics/estimate.js'
import { holm } from '../statistics/significance.js'
import { mean } from '../statistics/statistics.js'
import { meanInterval, tTest } from '../statistics/t-interval.js'
import { type Cell, type Factors, LABELS, sameFactors } from './cells.js'

/**
 * A row against the baseline of the same noise and augmentation. A seed is one observation, for its prompts share a model.
 * A single seed of real data is told over its prompts: how sure the figures of *these* models are, not of another seed's.
 */
export interface Against {
  /** Greedy answers: mean of the differences. */
  difference: Estimate
  /** The same of answers sampled at temperature 1. */
  sampled?: Estimate
  /** Paired t-test of the greedy difference, corrected over the distinct rows of the table (Holm). */
  p?: number
  /** Share of prompts with a higher reward, ties as half. */
  winRate: Estimate
}

export interface ExperimentRow extends Factors {
  seeds: number[]
  learningRate: number
  /** Greedy answers, by scorer. */
  rewards: Record<string, Estimate>
  /** Answers sampled at temperature 1, by scorer. */
  sampled: Record<string, Estimate>
  /** The cells' single figures. */
  figures: Record<string, Estimate>
  against?: Against
}

/** Figures of this prefix are rewards of sampled answers. */
const SAMPLED = 'sampled_'

/** Rows in the order in which their factors first appear. `judge` is the scorer that differences are taken on. */
export function experimentRows(cells: readonly Cell[], baseline: string, judge: string): ExperimentRow[] {
  const groups: Cell[][] = []
  for (const cell of cells) {
    const group = groups.find(([first]) => sameFactors(first, cell))
    if (group) group.push(cell)
    else groups.push([cell])
  }
  const rows = groups.map((group) => {
    const base = groups.find(([first]) => sameFactors(first, { ...group[0], variant: baseline }))
    const compared = group[0].variant === baseline ? [] : pairsOf(group, base ?? [], judge)
    return { row: rowOf(group), compared, over: observationsOf(group) }
  })
  const p = correctedP(rows.map(({ compared, over }) => over(compared.map((c) => c.differences))))
  return rows.map(({ row, compared, over }, i) =>
    compared.length > 0 ? { ...row, against: against(compared, over, p[i]) } : row,
  )
}

function rowOf(group: readonly Cell[]): ExperimentRow {
  const [{ variant, noise, augmented, learningRate, rewards }] = group
  const over = observationsOf(group)
  const scorers = Object.keys(rewards)
  const figures = estimatesOf(group, (cell) => cell.figures)
  const isSampled = (name: string) => name.startsWith(SAMPLED)
  const entries = Object.entries(figures)
  return {
    variant,
    ...(noise !== undefined && { noise }),
    ...(augmented !== undefined && { augmented }),
    seeds: group.map(({ seed }) => seed),
    learningRate,
    rewards: Object.fromEntries(
      scorers.map((name) => [name, meanInterval(over(group.map((cell) => cell.rewards[name])))]),
    ),
    sampled: Object.fromEntries(
      entries.flatMap(([name, e]) => (isSampled(name) ? [[name.slice(SAMPLED.length), e]] : [])),
    ),
    figures: Object.fromEntries(entries.filter(([name]) => !isSampled(name))),
  }
}

/** From values prompt by prompt, seed by seed, to what intervals are over. */
type Observations = (seeds: readonly (readonly number[])[]) => readonly number[]

const observationsOf = (group: readonly Cell[]): Observations =>
  group.length === 1 && group[0].rewards[LABELS] !== undefined
    ? (seeds) => seeds.flat()
    : (seeds) => seeds.map((values) => mean(values))

/** Of each figure that any of the cells has, the mean over those that have it. */
function estimatesOf(
  group: readonly Cell[],
  figuresOf: (cell: Cell) => Record<string, number>,
): Record<string, Estimate> {
  const names = new Set(group.flatMap((cell) => Object.keys(figuresOf(cell))))
  return Object.fromEntries(
    [...names].map((name) => [name, meanInterval(group.flatMap((cell) => figuresOf(cell)[name] ?? []))]),
  )
}

/** What one seed says of a row and its baseline: the same prompts, the same start, the same reward models. */
interface Compared {
  /** Prompt by prompt. */
  differences: number[]
  sampled?: number
  wins: number[]
}

function pairsOf(group: readonly Cell[], base: readonly Cell[], judge: string): Compared[] {
  return group.flatMap((cell): Compared[] => {
    const other = base.find(({ seed }) => seed === cell.seed)
    const [own, theirs] = [cell.rewards[judge], other?.rewards[judge]]
    if (!other || !own || !theirs) return []
    const [a, b] = [cell, other].map(({ figures }) => figures[SAMPLED + judge])
    return [
      {
        differences: own.map((reward, i) => reward - theirs[i]),
        ...(a !== undefined && b !== undefined && { sampled: a - b }),
        wins: own.map((reward, i) => winOf(reward - theirs[i], 1e-6)),
      },
    ]
  })
}

function against(compared: readonly Compared[], over: Observations, p: number | undefined): Against {
  const sampled = compared.flatMap((c) => c.sampled ?? [])
  return {
    difference: meanInterval(over(compared.map((c) => c.differences))),
    ...(sampled.length === compared.length && { sampled: meanInterval(sampled) }),
    ...(p !== undefined && { p }),
    winRate: withinShares(meanInterval(over(compared.map((c) => c.wins)))),
  }
}

/** Rows that are the same cells under several names, as where sampled answers change nothing, are one test. */
function correctedP(differences: readonly (readonly number[])[]): (number | undefined)[] {
  const tests = new Map<string, number>()
  for (const d of differences) {
    const p = tTest(d)
    if (p !== undefined) tests.set(String(d), p)
  }
  const p = holm([...tests.values()])
  const byTest = new Map([...tests.keys()].map((key, i) => [key, p[i]]))
  return differences.map((d) => byTest.get(String(d)))
}
