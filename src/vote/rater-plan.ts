/** What a rater sees, and when: every item once in an order of one's own, some of them again much later. */
import { createRandom } from '../random.js'

export interface Entry {
  /** Index of the item. */
  item: number
  /** 0 for the first time, 1 for the repeat. */
  nth: number
}

/** Fewer items are not repeated: the rater would remember. */
const LEAST_TO_REPEAT = 8

/**
 * @param seed of comparison and rater
 * @param repeats share of the items that come twice; the second time after at least half of the list
 */
export function planOf(items: number, seed: string, repeats: number): Entry[] {
  const order = createRandom(seed).shuffle(Array.from({ length: items }, (_, item) => item))
  const plan = order.map((item): Entry => ({ item, nth: 0 }))
  const again = items < LEAST_TO_REPEAT ? 0 : Math.min(Math.round(items * repeats), Math.floor(items / 2))
  for (let k = 0; k < again; k++) {
    const place = Math.floor(items / 2) + Math.floor(((k + 1) * (items / 2)) / again)
    plan.splice(place + k, 0, { item: order[k], nth: 1 })
  }
  return plan
}
