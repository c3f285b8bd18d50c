/** Whether people preferred the longer answers: what a reward for length alone would get right. */
import type { Example } from '../data/example.js'
import { type Interval, wilson } from '../statistics/statistics.js'
import { characters } from './texts.js'

export interface LengthBias {
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
export function createLengthBias(): { add(example: Example): void; result(): LengthBias | undefined } {
  const better = moments()
  const worse = moments()
  let longer = 0
  return {
    add({ candidates, preferences }) {
      if (preferences.length === 0) return
      const lengths = candidates.map(({ text }) => characters(text))
      for (const pair of preferences) {
        const [a, b] = [lengths[pair.better], lengths[pair.worse]]
        better.add(a)
        worse.add(b)
        longer += a > b ? 1 : a === b ? 0.5 : 0
      }
    },
    result() {
      const pairs = better.count()
      if (pairs === 0) return undefined
      const difference = better.mean() - worse.mean()
      const pooled = Math.sqrt((better.variance() + worse.variance()) / 2)
      return {
        pairs,
        betterIsLonger: longer / pairs,
        interval: wilson(longer, pairs),
        effect: pooled > 0 ? difference / pooled : 0,
        difference,
      }
    },
  }
}

/** Mean and sample variance in one pass (Welford 1962). */
function moments() {
  let [n, mean, squares] = [0, 0, 0]
  return {
    add(x: number) {
      n++
      const step = x - mean
      mean += step / n
      squares += step * (x - mean)
    },
    count: () => n,
    mean: () => mean,
    variance: () => (n > 1 ? squares / (n - 1) : 0),
  }
}
