/** Tests of raters: what the verdict on two answers should be, where that is known. */
import type { ComparedAnswer, ComparisonItem, VerdictRow } from './types.js'

/** The field of a row; an item's gold speaks of its first two answers alone. */
export const goldOf = (
  { gold, answers }: ComparisonItem,
  a: ComparedAnswer,
  b: ComparedAnswer,
): Pick<VerdictRow, 'gold'> => (gold !== undefined && a === answers[0] && b === answers[1] ? { gold } : {})
