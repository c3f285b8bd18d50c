/** What labels and rewards say together: one row for each pair of answers that somebody compared. */
import { quantile } from '../../statistics/statistics.js'

/** Column i belongs to pair i. Which of the two answers comes first is arbitrary. */
export interface Evidence {
  /** Reward of the first answer minus that of the second, in the reward's unit. */
  gap: Float64Array
  /** Votes for the first answer and for the second; a single label is 1 and 0. */
  up: Float64Array
  down: Float64Array
  /** How many such pairs there are: 1, but for groups. */
  weight: Float64Array
  /** Pairs of one prompt share a number: they are no independent evidence. Absent: each pair is its own. */
  cluster?: Int32Array
}

/** The size of gap that half of the pairs exceed: T is sought in multiples of it. */
export const medianGap = ({ gap }: Pick<Evidence, 'gap'>): number => quantile(Array.from(gap, Math.abs), 0.5)

/** Pairs that carry one label each. */
export function singleLabels(gaps: ArrayLike<number>): Evidence {
  const gap = Float64Array.from(gaps)
  const ones = () => new Float64Array(gap.length).fill(1)
  return { gap, up: ones(), down: new Float64Array(gap.length), weight: ones() }
}

/** Pairs with two votes or more, and how many pairs of votes among them disagree. */
export function repeatedVotes(all: readonly Evidence[]): {
  pairs: number
  compared: number
  disagree: number
} {
  const sum = { pairs: 0, compared: 0, disagree: 0 }
  for (const { up, down, weight } of all) {
    for (let i = 0; i < up.length; i++) {
      const votes = up[i] + down[i]
      if (votes < 2) continue
      sum.pairs += weight[i]
      sum.compared += (weight[i] * votes * (votes - 1)) / 2
      sum.disagree += weight[i] * up[i] * down[i]
    }
  }
  return sum
}

/** Neighbouring gaps with the same votes become one row at their mean, about `groups` rows in all. */
export function groupEvidence(evidence: Evidence, groups: number): Evidence {
  const { gap, up, down, weight } = evidence
  if (gap.length <= groups) return evidence
  const size = gap.length / groups
  const order = Array.from(gap, (_, i) => i).sort(
    (i, j) => up[i] - up[j] || down[i] - down[j] || gap[i] - gap[j],
  )
  const rows: number[][] = []
  for (let from = 0; from < order.length; ) {
    const first = order[from]
    let [to, sum, total] = [from, 0, 0]
    while (to < order.length && to - from < size) {
      const i = order[to]
      if (up[i] !== up[first] || down[i] !== down[first]) break
      sum += weight[i] * gap[i]
      total += weight[i]
      to++
    }
    rows.push([sum / total, up[first], down[first], total])
    from = to
  }
  const column = (k: number) => Float64Array.from(rows, (row) => row[k])
  return { gap: column(0), up: column(1), down: column(2), weight: column(3) }
}
