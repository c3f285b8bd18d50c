/**
 * The Bradley-Terry loss of reward models: -ln sigmoid(r_better - r_worse - margin), with an optional centering term
 * coefficient * (r_better + r_worse)^2. Checked against TRL's RewardTrainer.
 * TRL 1.16.0, `RewardTrainer.compute_loss`; recorded in test/fixtures/losses/reward.json.
 */
import { i64, ops } from '../tensor/index.js'
import { share, sumDenominators } from './denominators.js'
import { fromNumbers } from './from-numbers.js'
import type { Denominators, LossList, LossParts, Scores } from './types.js'

export interface BradleyTerryOptions {
  /** Pulls rewards towards mean zero; 0 leaves them free. */
  centerRewardsCoefficient: number
  /** Subtracted from each pair's gap, in the order of the pairs; none when left out. */
  margins?: readonly number[]
}

export function bradleyTerryDenominators(lists: readonly LossList[]): Denominators {
  return sumDenominators(
    lists,
    lists.map(() => [1]),
    'lists',
  )
}

/**
 * @param scores `sum` holds rewards, [C]; `counts` are not used
 * @returns total, a scalar in nats per list
 * @example
 * ```ts
 * const scores = { sum: f64([1, -1]), counts: [1, 1], offsets: [0, 2] }
 * const lists = [{ pairs: [{ better: 0, worse: 1, distance: 1, weight: 1, group: 0 }], sft: { index: 0, weight: 1, group: 0 } }]
 * // -ln sigmoid(2)
 * bradleyTerryLoss(scores, lists, { centerRewardsCoefficient: 0 }).total.item().toFixed(4) // '0.1269'
 * ```
 */
export function bradleyTerryLoss(
  scores: Scores,
  lists: readonly LossList[],
  options: BradleyTerryOptions,
  denominators: Denominators = bradleyTerryDenominators(lists),
): LossParts {
  const pairs = lists.flatMap((list, i) =>
    list.pairs.map((p) => ({
      better: scores.offsets[i] + p.better,
      worse: scores.offsets[i] + p.worse,
      coefficient: p.weight * share(denominators.pairs, p.group),
    })),
  )
  const dtype = scores.sum.dtype
  const better = ops.indexSelect(scores.sum, 0, i64(pairs.map((p) => p.better)))
  const worse = ops.indexSelect(scores.sum, 0, i64(pairs.map((p) => p.worse)))
  const gap = ops.sub(better, worse)
  const shifted = options.margins ? ops.sub(gap, fromNumbers(options.margins, dtype)) : gap
  const coefficients = fromNumbers(
    pairs.map((p) => p.coefficient),
    dtype,
  )
  const ranking = ops.neg(ops.sum(ops.mul(ops.logSigmoid(shifted), coefficients)))
  if (options.centerRewardsCoefficient === 0) return { total: ranking, parts: {} }
  const squares = ops.sum(ops.mul(ops.square(ops.add(better, worse)), coefficients))
  const center = ops.mulScalar(squares, options.centerRewardsCoefficient)
  return { total: ops.add(ranking, center), parts: { center_loss: center } }
}
