/** p-values of several tests at once. */

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
