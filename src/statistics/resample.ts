/** Bootstrap of whole clusters: prompts with all their rows, items with all their ratings. */
import { createRandom } from '../random.js'
import type { Interval } from './estimate.js'
import { type BootstrapOptions, percentileInterval } from './intervals.js'

/**
 * 95 % percentile interval of a figure over resampled clusters.
 * @param clusters how many there are
 * @param figure of the clusters that were drawn, some of them more than once; NaN leaves a draw out
 * @returns undefined of fewer than two clusters, or where fewer than half of the draws have the figure
 */
export function clusterBootstrap(
  clusters: number,
  figure: (drawn: Int32Array) => number,
  { resamples = 1000, seed = 0, level = 0.95 }: BootstrapOptions = {},
): Interval | undefined {
  if (clusters < 2) return undefined
  const random = createRandom(seed)
  const drawn = new Int32Array(clusters)
  const replicates: number[] = []
  for (let b = 0; b < resamples; b++) {
    for (let i = 0; i < clusters; i++) drawn[i] = random.int(clusters)
    const value = figure(drawn)
    if (!Number.isNaN(value)) replicates.push(value)
  }
  return replicates.length * 2 < resamples ? undefined : percentileInterval(replicates, level)
}
