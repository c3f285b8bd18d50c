/** Which two answers are judged beside each other, and in which order they stand. */
import { hashUnit } from '../random.js'
import type { ComparedAnswer, ComparisonItem, VerdictRow } from '../verdicts/types.js'

/** An answer whose text is known. */
export type ReadAnswer = ComparedAnswer & { text: string }

export interface Pairing {
  item: ComparisonItem
  a: ReadAnswer
  b: ReadAnswer
  shown: VerdictRow['shown']
}

export interface PairingOptions {
  /** Every two systems, or each one beside the first. */
  pairs: 'all' | 'first'
  /** Both orders; or one, drawn for each pair by its hash; or `ab` where order plays no part. */
  orders: 'both' | 'one' | 'ab'
}

/** Pairings item by item; answers without a text are left out. */
export function pairingsOf(items: readonly ComparisonItem[], { pairs, orders }: PairingOptions): Pairing[] {
  const [first] = systemsOf(items)
  return items.flatMap((item) => {
    const answers = item.answers.filter((answer): answer is ReadAnswer => answer.text !== undefined)
    const two = answers.flatMap((a, i) => answers.slice(i + 1).map((b) => [a, b] as const))
    const wanted = pairs === 'all' ? two : two.filter((pair) => pair.some(({ system }) => system === first))
    return wanted.flatMap(([a, b]) => ordersOf(item, a, b, orders).map((shown) => ({ item, a, b, shown })))
  })
}

function ordersOf(
  { item }: ComparisonItem,
  a: ReadAnswer,
  b: ReadAnswer,
  orders: PairingOptions['orders'],
): VerdictRow['shown'][] {
  if (orders === 'both') return ['ab', 'ba']
  if (orders === 'ab') return ['ab']
  return [hashUnit(`order:${item}:${a.answer}:${b.answer}`) < 0.5 ? 'ab' : 'ba']
}

/** In the order in which they first appear. */
export const systemsOf = (items: readonly ComparisonItem[]): string[] => [
  ...new Set(items.flatMap(({ answers }) => answers.map(({ system }) => system))),
]
