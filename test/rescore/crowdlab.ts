/** CROWDLAB's weighting (Goh, Tkachenko & Mueller 2022, sections 3 and 4) for pairs: an independent reading of the paper. */

export interface Labelled {
  /** Model's probability that the first answer is better. */
  model: number
  /** Who says that the first answer is better, and who says the second is. */
  labels: ReadonlyMap<string, boolean>
}

const meanOf = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length
const LEAST = 1e-6

/** @returns probability that the first answer of each pair is better */
export function crowdlab(pairs: readonly Labelled[]): number[] {
  const consensus = pairs.map(({ model, labels }) => {
    const up = [...labels.values()].filter(Boolean).length
    return up * 2 === labels.size ? model > 0.5 : up * 2 > labels.size
  })
  const several = pairs.flatMap((pair, i) => (pair.labels.size > 1 ? [i] : []))
  const agrees = several.flatMap((i) =>
    [...pairs[i].labels].map(([who, up]) => ({ who, right: up === consensus[i] ? 1 : 0 })),
  )
  // How likely any annotator agrees with the consensus: what one label says by itself.
  const p = meanOf(agrees.map(({ right }) => right))
  const share = meanOf(several.map((i) => (consensus[i] ? 1 : 0)))
  const majority = Math.max(share, 1 - share)
  const relative = (accuracy: number) => Math.max(LEAST, 1 - (1 - accuracy) / (1 - majority))
  const names = new Set(agrees.map(({ who }) => who))
  const weights = new Map(
    [...names].map((name) => [
      name,
      relative(meanOf(agrees.flatMap(({ who, right }) => (who === name ? [right] : [])))),
    ]),
  )
  const right = meanOf(several.map((i) => (pairs[i].model > 0.5 === consensus[i] ? 1 : 0)))
  const ofModel = relative(right) * Math.sqrt(meanOf(pairs.map(({ labels }) => labels.size)))
  return pairs.map(({ model, labels }) => {
    let [sum, total] = [ofModel * model, ofModel]
    for (const [who, up] of labels) {
      const weight = weights.get(who) ?? LEAST
      sum += weight * (up ? p : 1 - p)
      total += weight
    }
    return sum / total
  })
}
