/** How many pairs stand in the right order by the labels, by the reward alone, and by both; where the truth is known. */
import type { ScoredCorpus } from '../../data/corpus.js'
import { type RescoreOptions, rescoreLists } from '../../rescore/rescore.js'
import { winOf } from '../../statistics/agreement.js'
import { mean } from '../../statistics/statistics.js'

/** Shares of the labelled pairs. */
export interface OrdersRight {
  label: number
  reward: number
  posterior: number
}

/** @param options with the audit's `truth` */
export function ordersRight(scored: ScoredCorpus, options: RescoreOptions): OrdersRight {
  const rank = { ...options.rank, labelSource: 'posterior' as const }
  const { lists, audit } = rescoreLists({ ...scored, options: { ...options, rank, legacy: undefined } })
  const isReversed = options.audit?.truth
  if (!isReversed || !audit.truth) throw new Error('the truth is not known')
  const byReward = lists.flatMap((list) => {
    const reversed = isReversed(list)
    return list.labels.map(({ better, worse }, i) => {
      const agrees = winOf(list.rewards[better] - list.rewards[worse])
      return reversed[i] ? 1 - agrees : agrees
    })
  })
  const { labelsRight, orderRight } = audit.truth
  return { label: labelsRight.share ?? 0, reward: mean(byReward), posterior: orderRight.share ?? 0 }
}
