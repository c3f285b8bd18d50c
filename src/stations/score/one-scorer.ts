/** Which commands take one reward at a time. */
import type { Options } from '../../config/options.js'
import { usageError } from '../../errors.js'

/** A command that takes one reward at a time. @throws ClhaError (exit 2) where several are named */
export function requireOneScorer({
  rewardModel,
  rewardColumn,
}: Pick<Options, 'rewardModel' | 'rewardColumn'>): void {
  for (const [key, names] of Object.entries({ reward_model: rewardModel, reward_column: rewardColumn }))
    if (names && names.length > 1)
      throw usageError(
        `${key} names ${names.length} scorers: ${names.join(', ')}`,
        'this command takes one at a time',
      )
}
