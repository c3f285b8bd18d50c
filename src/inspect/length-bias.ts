/** Whether people preferred the longer answers. */
import type { Example } from '../data/example.js'
import type { Interval } from '../statistics/estimate.js'
import { createLengthBias } from '../statistics/length-bias.js'
import { characters } from '../text/lengths.js'

export interface LabelLengths {
  pairs: number
  /** Share of the pairs whose better answer is the longer one; equal lengths count half. */
  betterIsLonger: number
  /** Wilson's 95 % interval of that share. */
  interval: Interval
  /** Cohen's d of the lengths (characters): (mean better - mean worse) / pooled standard deviation. */
  effect: number
  /** Mean of better minus worse, characters. */
  difference: number
}

/** Collects the preferences of examples; `result` is undefined while there are none. */
export function createLabelLengths(): { add(example: Example): void; result(): LabelLengths | undefined } {
  const bias = createLengthBias()
  return {
    add({ candidates, preferences }) {
      if (preferences.length === 0) return
      const lengths = candidates.map(({ text }) => characters(text))
      for (const { better, worse } of preferences) bias.add(lengths[better], lengths[worse])
    },
    result() {
      const { betterIsLonger, effect, difference } = bias.result()
      const { share, total, interval } = betterIsLonger
      return share === null
        ? undefined
        : { pairs: total, betterIsLonger: share, interval, effect, difference }
    },
  }
}
