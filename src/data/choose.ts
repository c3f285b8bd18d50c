/** Which rows a sample or a mixture takes: decided by hashes of their content, not by their place or number. */

import { usageError } from '../errors.js'
import { hashUnit } from '../random.js'
import { amount } from '../show/units.js'
import { contentKey } from './content-key.js'
import type { Example } from './example.js'

/** A row's place in [0, 1): the rows with the lowest ones are taken. */
export const drawOf = (example: Example, seed: number): number =>
  hashUnit(`sample:${seed}:${contentKey(example)}`)

export interface Choice {
  /** Whether a row is taken; asked for every row once, in the order of the first reading. */
  takes(draw: number): boolean
}

/** The `count` lowest of some draws; of equal ones (rows of equal content) the first. */
export function lowest(draws: readonly number[], count: number): Choice {
  const sorted = Float64Array.from(draws).sort()
  const limit = count >= sorted.length ? Number.POSITIVE_INFINITY : sorted[count]
  let left = 0
  for (const draw of sorted.subarray(0, count)) if (draw === limit) left++
  return { takes: (draw) => draw < limit || (draw === limit && left-- > 0) }
}

export interface Group {
  name: string
  rows: number
  weight: number
}

/**
 * Rows of each group so that they stand to each other as the weights do: largest remainders, ties to the first.
 * @param total without it, as many as the scarcest group allows without a row coming twice
 * @throws ClhaError (usage) when a group has too few rows, with the largest total that there is
 */
export function quotas(groups: readonly Group[], total?: number): number[] {
  const sum = groups.reduce((all, { weight }) => all + weight, 0)
  if (!(sum > 0)) throw usageError('every weight is 0', 'Give at least one group a weight above 0.')
  const largest = Math.floor(
    Math.min(...groups.filter(({ weight }) => weight > 0).map(({ rows, weight }) => (rows * sum) / weight)) +
      1e-9,
  )
  const wanted = total ?? largest
  const shares = groups.map(({ weight }) => (wanted * weight) / sum)
  const counts = shares.map(Math.floor)
  const missing = wanted - counts.reduce((all, n) => all + n, 0)
  const order = shares
    .map((share, i) => ({ i, rest: share - counts[i] }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i)
  for (const { i } of order.slice(0, Math.round(missing))) counts[i]++
  // Rounding up may ask a group for one row more than it has.
  if (total === undefined) return counts.map((n, i) => Math.min(n, groups[i].rows))
  const short = groups.findIndex(({ rows }, i) => counts[i] > rows)
  if (short < 0) return counts
  const { name, rows } = groups[short]
  throw usageError(
    `${name} has ${amount(rows, 'row')}; a mixture of ${wanted} with these weights needs ${counts[short]} of it`,
    `No row is taken twice: the largest total is ${largest}. Lower the total, or the weight of ${name}.`,
  )
}
