/** Numbers of a step under the field's names, as sums with their counts so that they add up over micro-batches. */

import type { LossList } from '../../losses/types.js'
import { winOf } from '../../statistics/agreement.js'

/** [sum, count] by name. */
export type TallyState = Record<string, [sum: number, count: number]>

export class Tally {
  private readonly sums: Map<string, { sum: number; count: number }>

  constructor(state: TallyState = {}) {
    this.sums = new Map(Object.entries(state).map(([name, [sum, count]]) => [name, { sum, count }]))
  }

  state(): TallyState {
    return Object.fromEntries(Array.from(this.sums, ([name, { sum, count }]) => [name, [sum, count]]))
  }

  /** Adds a value that stands for `count` observations. */
  add(name: string, sum: number, count = 1): void {
    const entry = this.sums.get(name)
    if (entry) {
      entry.sum += sum
      entry.count += count
    } else this.sums.set(name, { sum, count })
  }

  /** Means; a name that was never observed has none. */
  means(): Record<string, number> {
    const out: Record<string, number> = {}
    for (const [name, { sum, count }] of this.sums) if (count > 0) out[name] = sum / count
    return out
  }
}

/** The candidate scores of one list. */
interface ListScores {
  sums: readonly number[]
  /** The method's implicit rewards. */
  rewards: readonly number[]
}

/** Metrics of a language model on ranked lists, under TRL's names. `margin` is that of a hinge by rank distance. */
export function tallyLogProbs(
  tally: Tally,
  list: LossList,
  { sums, rewards }: ListScores,
  margin?: (distance: number) => number,
): void {
  tally.add('sft_gate/mean', list.sft.weight)
  // The name of version 0.1.0, for one more release.
  tally.add('sft_weight/mean', list.sft.weight)
  if (list.rows) {
    for (const { index, desirable, weight } of list.rows) {
      if (weight === 0) continue
      const side = desirable ? 'chosen' : 'rejected'
      tally.add(`logps/${side}`, sums[index])
      tally.add(`rewards/${side}`, rewards[index])
    }
    return
  }
  tally.add('logps/chosen', sums[list.sft.index])
  for (const pair of list.pairs) {
    tally.add('pairs/active', pair.weight > 0 ? 1 : 0)
    if (pair.weight === 0) continue
    const gap = rewards[pair.better] - rewards[pair.worse]
    tally.add('logps/rejected', sums[pair.worse])
    tally.add('rewards/chosen', rewards[pair.better])
    tally.add('rewards/rejected', rewards[pair.worse])
    tally.add('rewards/margins', gap)
    tally.add('rewards/accuracies', gap > 0 ? 1 : 0)
    if (margin) tally.add('pairs/saturated', gap > margin(pair.distance) ? 1 : 0)
    tally.add('pairs/weight', pair.weight)
  }
}

/** Metrics of a reward model, under TRL's names. */
export function tallyRewards(tally: Tally, list: LossList, rewards: readonly number[]): void {
  tally.add(
    'mean_reward',
    rewards.reduce((a, b) => a + b, 0),
    rewards.length,
  )
  for (const pair of list.pairs) {
    const gap = rewards[pair.better] - rewards[pair.worse]
    tally.add('margin', gap)
    tally.add('accuracy', winOf(gap))
  }
}
