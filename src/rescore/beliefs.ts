/** How likely each candidate is the better of each pair, from rewards and human labels together. */

import type { Example } from '../data/example.js'
import { usageError } from '../errors.js'
import { sigmoid } from '../statistics/statistics.js'

/** Which evidence decides: both, the reward alone (the paper), the label alone, or both where they agree. */
export type LabelSource = 'posterior' | 'reward' | 'human' | 'agreement'

/** What a scorer's numbers mean. */
export interface Scale {
  /** The unit of the reward: r / temperature is a log-odds of being better. */
  temperature: number
  /** Probability in [0, 1/2) that a human label is wrong. */
  labelError: number
}

/** Human labels h[i][j] = -h[j][i]: 1 if i was preferred to j, 0 without a label or where labels cancel. */
export type HumanLabels = number[][]

/**
 * Collects an example's preferences. Transitivity is not assumed; repeats count once; contradictions cancel.
 * @throws ClhaError (usage) when a preference names a candidate that does not exist
 */
export function humanLabels(example: Example): HumanLabels {
  const n = example.candidates.length
  const h = Array.from({ length: n }, () => new Array<number>(n).fill(0))
  for (const { better, worse } of example.preferences) {
    const known = (k: number) => Number.isInteger(k) && k >= 0 && k < n
    if (!known(better) || !known(worse) || better === worse) {
      throw usageError(
        `${example.file}:${example.row}: the preference ${better} over ${worse} does not name two of the ${n} candidates`,
        'Candidates count from 0.',
      )
    }
    h[better][worse]++
    h[worse][better]--
  }
  return h.map((row) => row.map(Math.sign))
}

/** Net human preferences for each candidate: what decides ties. */
export function humanWins(h: HumanLabels): number[] {
  return h.map((row) => row.reduce((sum, x) => sum + x, 0))
}

/**
 * Beliefs q[i][j] that candidate i is better than j, 1/2 on the diagonal; q[i][j] + q[j][i] = 1.
 * logit q_ij = (r_i - r_j) / T + h_ij ln((1 - e) / e): Bradley-Terry for the reward, a label with error e.
 */
export function beliefs(
  rewards: readonly number[],
  h: HumanLabels,
  scale: Scale,
  source: LabelSource,
): number[][] {
  const labelLogit = Math.log((1 - scale.labelError) / scale.labelError)
  return rewards.map((r, i) =>
    rewards.map((other, j) => {
      if (i === j) return 0.5
      const fromReward = source === 'human' ? 0 : (r - other) / scale.temperature
      // A label that is never wrong has an infinite log-odds, and 0 times that is not 0.
      const fromLabel = source === 'reward' || h[i][j] === 0 ? 0 : h[i][j] * labelLogit
      return sigmoid(fromReward + fromLabel)
    }),
  )
}
