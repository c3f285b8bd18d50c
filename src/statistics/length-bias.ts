/** Whether better answers are the longer ones: what a reward for length alone would get right. */
import { type Proportion, proportion, winOf } from './agreement.js'

export interface LengthBias {
  /** Pairs whose better answer is the longer one, of all of them; equal lengths count one half. */
  betterIsLonger: Proportion
  /** Cohen's d of the lengths: (mean better - mean worse) / pooled standard deviation; 0 where nothing varies. */
  effect: number
  /** Mean of better minus worse, in the unit of the lengths; 0 of nothing. */
  difference: number
}

/** Collects pairs of lengths. */
export function createLengthBias(): { add(better: number, worse: number): void; result(): LengthBias } {
  const better = moments()
  const worse = moments()
  let longer = 0
  return {
    add(a, b) {
      better.add(a)
      worse.add(b)
      longer += winOf(a - b)
    },
    result() {
      const difference = better.mean() - worse.mean()
      const pooled = Math.sqrt((better.variance() + worse.variance()) / 2)
      return {
        betterIsLonger: proportion(longer, better.count()),
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
