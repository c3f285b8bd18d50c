/** Ranked lists as a loss takes them. */
import type { LossList } from '../losses/types.js'
import type { RankedList } from './ranked.js'

/** All lists in one group: they share the denominators of one optimizer step. */
export const lossLists = (lists: readonly RankedList[]): LossList[] =>
  lists.map(({ pairs, sft }) => ({
    pairs: pairs.map(({ better, worse, distance, weight }) => ({
      better,
      worse,
      distance,
      weight,
      group: 0,
    })),
    sft: { ...sft, group: 0 },
  }))
