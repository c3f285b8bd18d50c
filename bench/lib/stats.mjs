// Medians and ratios of rounds: contenders of one round stood under the same load, so ratios are taken within a round.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  return sorted.length % 2 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2
}

/** @returns {{ratio: number, low: number, high: number, rounds: number} | undefined} of rates, ours over theirs */
export function ratioOf(ours, theirs) {
  const rounds = Math.min(ours.length, theirs.length)
  if (rounds === 0) return undefined
  const each = Array.from({ length: rounds }, (_, i) => ours[i] / theirs[i])
  return { ratio: median(each), low: Math.min(...each), high: Math.max(...each), rounds }
}
