/** Agreement of raters who all rated everything: Cohen's kappa of two (1960, 1968), Fleiss' (1971) and Randolph's (2005) of more. */
import type { Estimate } from './estimate.js'
import { normalQuantile } from './statistics.js'

/** Weight of a disagreement between categories i and j of k. */
const DISAGREEMENT = {
  unweighted: (i: number, j: number) => Number(i !== j),
  linear: (i: number, j: number, k: number) => Math.abs(i - j) / (k - 1),
  quadratic: (i: number, j: number, k: number) => ((i - j) / (k - 1)) ** 2,
}

export type KappaWeights = keyof typeof DISAGREEMENT

/**
 * Cohen's kappa; unweighted with its 95 % interval (Fleiss, Cohen & Everitt 1969).
 * @param table how often the first rater said i and the second j
 * @returns `value: null` where both said the same category throughout
 */
export function cohensKappa(
  table: readonly (readonly number[])[],
  weights: KappaWeights = 'unweighted',
): Estimate {
  const k = table.length
  const n = table.flat().reduce((a, b) => a + b, 0)
  const row = table.map((cells) => cells.reduce((a, b) => a + b, 0) / n)
  const column = table.map((_, j) => table.reduce((sum, cells) => sum + cells[j], 0) / n)
  let [observed, expected] = [0, 0]
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) {
      const weight = DISAGREEMENT[weights](i, j, k)
      observed += (weight * table[i][j]) / n
      expected += weight * row[i] * column[j]
    }
  }
  if (expected === 0) return { value: null }
  const value = 1 - observed / expected
  if (weights !== 'unweighted') return { value }
  const half = -normalQuantile(0.025) * standardError(table, row, column, value)
  return { value, interval: [value - half, value + half] }
}

function standardError(
  table: readonly (readonly number[])[],
  row: readonly number[],
  column: readonly number[],
  kappa: number,
): number {
  const n = table.flat().reduce((a, b) => a + b, 0)
  const chance = row.reduce((sum, r, i) => sum + r * column[i], 0)
  let [same, other] = [0, 0]
  table.forEach((cells, i) => {
    cells.forEach((count, j) => {
      if (i === j) same += (count / n) * (1 - (row[i] + column[i]) * (1 - kappa)) ** 2
      else other += (count / n) * (column[i] + row[j]) ** 2
    })
  })
  const rest = (kappa - chance * (1 - kappa)) ** 2
  return Math.sqrt((same + (1 - kappa) ** 2 * other - rest) / n) / (1 - chance)
}

/**
 * Agreement of n raters on each item beyond chance.
 * @param counts how many raters put each item into each category; every row has the same sum
 * @param chance `fleiss`: as often as the categories occur; `randolph`: all categories alike
 */
export function fleissKappa(
  counts: readonly (readonly number[])[],
  chance: 'fleiss' | 'randolph' = 'fleiss',
): Estimate {
  const raters = counts[0].reduce((a, b) => a + b, 0)
  const pairs = counts.map((row) => row.reduce((sum, c) => sum + c * (c - 1), 0) / (raters * (raters - 1)))
  const observed = pairs.reduce((a, b) => a + b, 0) / counts.length
  const shares = counts[0].map(
    (_, k) => counts.reduce((sum, row) => sum + row[k], 0) / (counts.length * raters),
  )
  const expected = chance === 'fleiss' ? shares.reduce((sum, p) => sum + p * p, 0) : 1 / shares.length
  return { value: expected === 1 ? null : (observed - expected) / (1 - expected) }
}
