/** Rewards of several scorers in a unit that they share: the gap that half of all pairs of answers exceed. */
import type { Example } from '../../data/example.js'
import { usageError } from '../../errors.js'
import { mean, quantile } from '../../statistics/statistics.js'

/** Rewards of one example's answers by each scorer, by its name. */
export type Scores = Readonly<Record<string, readonly number[]>>

/**
 * [examples][scorers][candidates], each scorer's in units of its median |d|.
 * @param scores of each example; all name the same scorers
 * @throws ClhaError (usage) where an example lacks a scorer, or one says the same of most answers
 */
export function scaledScores(examples: readonly Example[], scores: readonly Scores[]): number[][][] {
  const names = Object.keys(scores[0] ?? {})
  const units = names.map((name) => unitOf(examples, scores, name))
  return scores.map((one) => names.map((name, k) => one[name].map((r) => r / units[k])))
}

/** The plain mean over scorers of scaled rewards: no label has a say. [examples][candidates] */
export const meanScores = (examples: readonly Example[], scores: readonly Scores[]): number[][] =>
  scaledScores(examples, scores).map((columns) => columns[0].map((_, a) => mean(columns.map((r) => r[a]))))

/** Median |d| over all pairs of answers of a list. */
function unitOf(examples: readonly Example[], scores: readonly Scores[], name: string): number {
  const gaps = scores.flatMap((one, i) => {
    const { file, row, candidates } = examples[i]
    if (one[name]?.length !== candidates.length)
      throw usageError(
        `${file}:${row}: ${name} has ${one[name]?.length ?? 0} rewards for ${candidates.length} answers`,
      )
    return one[name].flatMap((r, a) => one[name].slice(a + 1).map((other) => Math.abs(r - other)))
  })
  const unit = gaps.length > 0 ? quantile(gaps, 0.5) : 1
  if (unit > 0 && Number.isFinite(unit)) return unit
  throw usageError(
    `${name}: at least half of all pairs have equal rewards, so the reward has no unit`,
    'A scorer that hardly tells answers apart can be no one of several: leave it out.',
  )
}
