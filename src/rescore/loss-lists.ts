/** Ranked lists as a loss takes them. */
import type { LossList } from '../losses/types.js'
import type { RankedList } from './ranked.js'

/**
 * All lists in one group: they share the denominators of one optimizer step.
 * @example
 * ```ts
 * const example = { id: '1', prompt: '2 + 2?', candidates: [{ text: '4.' }, { text: '5.' }], preferences: [{ better: 0, worse: 1 }], source: 'mine', file: 'my.jsonl', row: 1 }
 * const scale = { temperature: 1, labelError: 0.25 }
 * const lists = rankLists([example], [[1.5, -0.5]], rankDefaults, () => scale)
 * // Belief q = 3 e² / (3 e² + 1), weight 2 q - 1.
 * lossLists(lists)[0].pairs[0].weight.toFixed(3) // '0.914'
 * ```
 */
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
