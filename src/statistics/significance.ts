/** Whether a difference between two systems is more than chance, and how large it is. Paired by prompt. */
import { createRandom } from '../random.js'
import { mean } from './statistics.js'

/** Up to this many pairs all sign flips are tried; beyond it they are sampled. */
const EXACT_PAIRS = 16

export interface PermutationOptions {
  /** Sampled sign flips; 10,000 by default. */
  resamples?: number
  seed?: number | string
  /** Signs of the pairs in each resample (true keeps), instead of exact or sampled ones. */
  flips?: readonly (readonly boolean[])[]
}

/**
 * Two-sided p of the paired permutation test (Fisher 1935): under no difference each pair's sign is a coin flip. Exact up
 * to 16 pairs, else (1 + as extreme) / (1 + resamples).
 * @param differences a - b, one per prompt
 */
export function permutationTest(differences: readonly number[], options: PermutationOptions = {}): number {
  const { resamples = 10_000, seed = 0, flips } = options
  const observed = Math.abs(differences.reduce((a, b) => a + b, 0))
  // Sums of the same numbers in another order differ in their last digits.
  const bound = observed - 1e-12 * Math.max(1, observed)
  const asExtreme = (keeps: (i: number) => boolean): boolean =>
    Math.abs(differences.reduce((sum, d, i) => sum + (keeps(i) ? d : -d), 0)) >= bound
  if (flips) return (1 + flips.filter((row) => asExtreme((i) => row[i])).length) / (1 + flips.length)
  const n = differences.length
  let count = 0
  if (n <= EXACT_PAIRS) {
    for (let mask = 0; mask < 2 ** n; mask++) count += Number(asExtreme((i) => (mask & (1 << i)) === 0))
    return count / 2 ** n
  }
  const random = createRandom(seed)
  for (let b = 0; b < resamples; b++) count += Number(asExtreme(() => random.next() < 0.5))
  return (1 + count) / (1 + resamples)
}

/** Cohen's d of paired differences: their mean in units of their standard deviation; 0 where nothing differs. */
export function effectSize(differences: readonly number[]): number {
  const average = mean(differences)
  const squares = differences.reduce((sum, d) => sum + (d - average) ** 2, 0)
  const deviation = Math.sqrt(squares / (differences.length - 1))
  return average === 0 ? 0 : average / deviation
}

export type Correction = 'holm' | 'benjamini_hochberg' | 'bonferroni'

/** p-values corrected for being several (Holm 1979, Benjamini & Hochberg 1995), in the order given. */
export function corrected(pValues: readonly number[], correction: Correction = 'holm'): number[] {
  const n = pValues.length
  if (correction === 'bonferroni') return pValues.map((p) => Math.min(1, p * n))
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b])
  const out = new Array<number>(n)
  if (correction === 'holm') {
    let largest = 0
    for (const [rank, i] of order.entries()) {
      largest = Math.max(largest, Math.min(1, pValues[i] * (n - rank)))
      out[i] = largest
    }
    return out
  }
  let smallest = 1
  for (let rank = n - 1; rank >= 0; rank--) {
    smallest = Math.min(smallest, (pValues[order[rank]] * n) / (rank + 1))
    out[order[rank]] = smallest
  }
  return out
}
