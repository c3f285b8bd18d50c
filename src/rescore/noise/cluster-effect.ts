/** How much less is known of e because pairs of one prompt are no independent evidence. */
import { cholesky, solveFactored } from '../../statistics/strengths/positive-definite.js'
import type { Evidence } from './evidence.js'
import { type Point, rowScore } from './likelihood.js'
import { type Box, scoreSums } from './maximise.js'

/**
 * Variance of the estimate with pairs in clusters over that with pairs apart (sandwich, Liang & Zeger 1986), of the
 * first value that is not given; at least 1. Factor on how far a log-likelihood may fall within an interval.
 */
export function clusterEffect(parts: readonly { evidence: Evidence; at: Point; box: Box }[]): number {
  let [together, apart] = [0, 0]
  for (const { evidence, at, box } of parts) {
    if (!evidence.cluster) continue
    const free = [0, 1, 2].filter((k) => box[k][0] < box[k][1])
    const first = free[0]
    if (first === undefined) continue
    const inside = free.filter((k) => k === first || (at[k] > box[k][0] && at[k] < box[k][1]))
    const score = efficientScore(evidence, at, inside)
    const sums = new Map<number, number>()
    for (let i = 0; i < score.length; i++) {
      sums.set(evidence.cluster[i], (sums.get(evidence.cluster[i]) ?? 0) + score[i])
      apart += score[i] ** 2
    }
    for (const sum of sums.values()) together += sum ** 2
  }
  return apart > 0 ? Math.max(1, together / apart) : 1
}

/** Each pair's score for the first of `free`, without what the others explain of it. */
function efficientScore(evidence: Evidence, at: Point, free: readonly number[]): Float64Array {
  const { information } = scoreSums(evidence, at)
  const rest = free.slice(1)
  const factor = cholesky(
    rest.map((a) => Float64Array.from(rest, (b) => information[a][b] + (a === b ? 1e-9 : 0))),
  )
  // What cannot be told apart explains nothing.
  const first = rest.map((a) => information[a][free[0]])
  const share = factor ? solveFactored(factor, first) : new Float64Array(rest.length)
  const row = new Float64Array(3)
  return Float64Array.from(evidence.gap, (_, i) => {
    rowScore(evidence, i, at, row)
    return row[free[0]] - rest.reduce((sum, k, j) => sum + share[j] * row[k], 0)
  })
}
