/** Whether people preferred the longer answers. */
import type { Example } from '../data/example.js'
import { winOf } from '../statistics/agreement.js'
import type { Interval } from '../statistics/estimate.js'
import { wilson } from '../statistics/intervals.js'
import { createLengthBias } from '../statistics/length-bias.js'
import { characters } from '../text/lengths.js'

export interface LabelLengths {
  pairs: number
  /** Share of the pairs whose better answer is the longer one; equal lengths count half. */
  betterIsLonger: number
  /** Wilson's 95 % interval of that share; the pairs of a list count for less as far as they go the same way. */
  interval: Interval
  /** Cohen's d of the lengths (characters): (mean better - mean worse) / pooled standard deviation. */
  effect: number
  /** Mean of better minus worse, characters. */
  difference: number
}

/** Collects the preferences of examples; `result` is undefined while there are none. */
export function createLabelLengths(): { add(example: Example): void; result(): LabelLengths | undefined } {
  const bias = createLengthBias()
  // Over rows: squares of the pairs, of those whose better answer is longer, and their products.
  let [pairsSquared, longerSquared, both] = [0, 0, 0]
  /** How much less the pairs tell than as many rows would: the ratio of the clustered to the plain variance (Liang & Zeger 1986). */
  const designEffect = (share: number, total: number) => {
    if (pairsSquared === total) return 1
    const plain = total * share * (1 - share)
    const clustered = longerSquared - 2 * share * both + share ** 2 * pairsSquared
    return plain > 0 ? Math.max(1, clustered / plain) : pairsSquared / total
  }
  return {
    add({ candidates, preferences }) {
      if (preferences.length === 0) return
      const lengths = candidates.map(({ text }) => characters(text))
      let longer = 0
      for (const { better, worse } of preferences) {
        bias.add(lengths[better], lengths[worse])
        longer += winOf(lengths[better] - lengths[worse])
      }
      pairsSquared += preferences.length ** 2
      longerSquared += longer ** 2
      both += preferences.length * longer
    },
    result() {
      const { betterIsLonger, effect, difference } = bias.result()
      const { count, share, total } = betterIsLonger
      if (share === null) return undefined
      const factor = designEffect(share, total)
      const interval = wilson(count / factor, total / factor)
      return { pairs: total, betterIsLonger: share, interval, effect, difference }
    },
  }
}
