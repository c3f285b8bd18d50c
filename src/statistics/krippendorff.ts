/** Krippendorff's alpha (2011): agreement of any number of raters, with gaps, beyond what chance would give. */
import type { Estimate } from './estimate.js'
import type { BootstrapOptions } from './intervals.js'
import { clusterBootstrap } from './resample.js'

export type AlphaLevel = 'nominal' | 'ordinal'

/** Squared distance of two categories: by their places, and how often each occurs. */
type Distance = (c: number, k: number, counts: Float64Array) => number

const DISTANCES: Record<AlphaLevel, Distance> = {
  nominal: (c, k) => Number(c !== k),
  ordinal: (c, k, counts) => {
    let between = -(counts[c] + counts[k]) / 2
    for (let g = Math.min(c, k); g <= Math.max(c, k); g++) between += counts[g]
    return between ** 2
  },
}

/**
 * Alpha with its 95 % interval over items. 1: all agree; 0: as by chance. Items with one rating say nothing.
 * @param items the ratings of each item, in any order; categories are ordered by their numbers
 * @returns `value: null` where no item has two ratings, or where all ratings are equal
 */
export function krippendorffAlpha(
  items: readonly (readonly number[])[],
  level: AlphaLevel,
  options: BootstrapOptions = {},
): Estimate {
  const rated = items.filter((ratings) => ratings.length > 1)
  const values = [...new Set(rated.flat())].sort((a, b) => a - b)
  const place = new Map(values.map((value, i) => [value, i]))
  const size = values.length
  const tables = rated.map((ratings) => coincidences(ratings.map((r) => place.get(r) ?? 0)))
  const alphaOf = (drawn: ArrayLike<number>): number => {
    const total = new Float64Array(size * size)
    for (let i = 0; i < drawn.length; i++)
      for (const [c, k, count] of tables[drawn[i]]) total[c * size + k] += count
    return alpha(total, size, DISTANCES[level])
  }
  const value = alphaOf(tables.map((_, i) => i))
  if (Number.isNaN(value)) return { value: null }
  const interval = clusterBootstrap(tables.length, alphaOf, options)
  return { value, ...(interval && { interval }) }
}

/** o_ck of one item: ordered pairs of ratings over m - 1. */
function coincidences(places: readonly number[]): [c: number, k: number, count: number][] {
  return places.flatMap((c, i) =>
    places.flatMap((k, j): [number, number, number][] => (i === j ? [] : [[c, k, 1 / (places.length - 1)]])),
  )
}

/** 1 - D_o / D_e. @returns NaN where nothing could disagree */
function alpha(table: Float64Array, size: number, distance: Distance): number {
  const counts = Float64Array.from({ length: size }, (_, c) =>
    table.subarray(c * size, (c + 1) * size).reduce((sum, count) => sum + count, 0),
  )
  const n = counts.reduce((sum, count) => sum + count, 0)
  let [observed, expected] = [0, 0]
  for (let c = 0; c < size; c++) {
    for (let k = 0; k < size; k++) {
      if (c === k) continue
      const d = distance(c, k, counts)
      observed += table[c * size + k] * d
      expected += counts[c] * counts[k] * d
    }
  }
  return expected > 0 ? 1 - (observed * (n - 1)) / expected : Number.NaN
}
