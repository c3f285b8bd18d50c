/** Which verdicts a figure rests on: each rater once an item and pair, both orders of a judge as one. */

import { groupBy } from '../statistics/group-by.js'
import type { BothOrders, Slot } from '../statistics/position-bias.js'
import { type JudgedRow, standing } from './standing.js'
import { aligned } from './summary.js'
import type { VerdictRow } from './types.js'

/** Rows of one rater on one item and pair, in the order in which they were given, seen from one side. */
function repeatsOf(judged: readonly JudgedRow[]): JudgedRow[][] {
  // Not by the answers: two systems may have said the same.
  const key = ({ rater, item, systems }: JudgedRow) => JSON.stringify([rater, item, ...systems])
  return [...groupBy(judged.map(aligned), key).values()]
}

/**
 * The verdicts that count. Tests of raters (gold) do not. Of a judge, a reward model or a rule that saw both orders a
 * win counts only where both agree, else it is a tie; of a person the first verdict counts, repeats tell of the person.
 * Undone ones, skips and errors are none.
 */
export function countedRows(rows: readonly VerdictRow[]): JudgedRow[] {
  const judged = standing(rows).judged.filter(({ gold }) => gold === undefined)
  return repeatsOf(judged).map((repeats) => {
    const [first] = repeats
    const other = repeats.find(({ shown }) => shown !== first.shown)
    if (first.kind === 'person' || !other || other.verdict === first.verdict) return first
    return { ...first, verdict: 'tie' }
  })
}

/** The pairs that a rater saw in both orders, by the slots that won. */
export function bothOrders(rows: readonly VerdictRow[]): BothOrders[] {
  return repeatsOf(standing(rows).judged).flatMap((repeats) => {
    const [ab, ba] = (['ab', 'ba'] as const).map((order) => repeats.find(({ shown }) => shown === order))
    return ab && ba ? [{ orders: [slotOf(ab), slotOf(ba)] as const }] : []
  })
}

/** Where the better answer stood. */
export function slotOf({ verdict, shown }: JudgedRow): Slot {
  if (verdict !== 'a' && verdict !== 'b') return 'tie'
  return (verdict === 'a') === (shown === 'ab') ? 'first' : 'second'
}

/** Pairs of verdicts that one rater gave on the same question. */
export function repeatedVerdicts(rows: readonly VerdictRow[]): [earlier: JudgedRow, later: JudgedRow][] {
  return repeatsOf(standing(rows).judged).flatMap(([first, ...later]) =>
    later.map((row): [JudgedRow, JudgedRow] => [first, row]),
  )
}
