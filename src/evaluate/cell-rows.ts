/** From cells to the rows of a table: means over seeds and prompts, intervals, and tests against a baseline. */

import { createRandom } from '../random.js'
import { winOf } from '../statistics/agreement.js'
import type { Estimate } from '../statistics/estimate.js'
import { percentileInterval } from '../statistics/intervals.js'
import { corrected, effectSize, permutationTest } from '../statistics/significance.js'
import { mean } from '../statistics/statistics.js'
import { type Cell, type Factors, sameFactors } from './cells.js'

const RESAMPLES = 2000

/** A row against the baseline of the same noise and augmentation, prompt by prompt. */
export interface Against {
  difference: Estimate
  /** Two-sided paired permutation test over prompts, corrected over all rows of the table (Holm). */
  p: number
  /** Cohen's d of the paired differences. */
  effect: number
  /** Share of prompts with a higher reward, ties as half. */
  winRate: Estimate
}

export interface ExperimentRow extends Factors {
  seeds: number[]
  learningRate: number
  /** By scorer: mean reward with its interval. */
  rewards: Record<string, Estimate>
  /** Means over seeds of the cells' single figures. */
  figures: Record<string, number>
  against?: Against
}

/**
 * Seeds are drawn with replacement, then prompts within each drawn seed.
 * @param values by seed, by prompt
 */
export function nestedBootstrap(values: readonly (readonly number[])[], seed: number | string = 0): Estimate {
  const value = mean(values.map(mean))
  const random = createRandom(seed)
  const replicates = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0
    for (let s = 0; s < values.length; s++) {
      const drawn = values[random.int(values.length)]
      let inner = 0
      for (let i = 0; i < drawn.length; i++) inner += drawn[random.int(drawn.length)]
      sum += inner / drawn.length
    }
    return sum / values.length
  })
  return { value, interval: percentileInterval(replicates) }
}

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
    return {
      row: rowOf(group),
      test: group[0].variant === baseline ? undefined : against(group, base, judge),
    }
  })
  const tested = rows.flatMap(({ test }) => (test ? [test] : []))
  const p = corrected(tested.map((test) => test.p))
  tested.forEach((test, i) => {
    test.p = p[i]
  })
  return rows.map(({ row, test }) => (test ? { ...row, against: test } : row))
}

function rowOf(group: readonly Cell[]): ExperimentRow {
  const [{ variant, noise, augmented, learningRate, rewards, figures }] = group
  const estimates = Object.keys(rewards).map((scorer) => [
    scorer,
    nestedBootstrap(group.map((cell) => cell.rewards[scorer])),
  ])
  const means = Object.keys(figures).map((name) => [name, mean(group.map((cell) => cell.figures[name]))])
  return {
    variant,
    ...(noise !== undefined && { noise }),
    ...(augmented !== undefined && { augmented }),
    seeds: group.map(({ seed }) => seed),
    learningRate,
    rewards: Object.fromEntries(estimates),
    figures: Object.fromEntries(means),
  }
}

/** Only seeds that both have are compared: the same prompts, the same start, the same reward models. */
function against(
  group: readonly Cell[],
  base: readonly Cell[] | undefined,
  judge: string,
): Against | undefined {
  const pairs = group.flatMap((cell) => {
    const other = base?.find(({ seed }) => seed === cell.seed)
    return other?.rewards[judge] && cell.rewards[judge]
      ? [cell.rewards[judge].map((r, i) => r - other.rewards[judge][i])]
      : []
  })
  if (pairs.length === 0) return undefined
  const all = pairs.flat()
  return {
    difference: nestedBootstrap(pairs),
    p: permutationTest(all),
    effect: effectSize(all),
    winRate: nestedBootstrap(pairs.map((d) => d.map((gap) => winOf(gap, 1e-6)))),
  }
}
