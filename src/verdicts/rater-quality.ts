/** How far a rater can be trusted: known items, repeated items, the side that is preferred, speed. */
import { type Proportion, proportion } from '../statistics/agreement.js'
import { groupBy } from '../statistics/group-by.js'
import { type PositionBias, positionBias } from '../statistics/position-bias.js'
import { quantile } from '../statistics/statistics.js'
import { bothOrders, repeatedVerdicts, slotOf } from './counted.js'
import { standing } from './standing.js'
import type { RaterKind, VerdictRow } from './types.js'

export interface RaterQuality {
  rater: string
  kind: RaterKind
  verdicts: number
  errors: number
  skipped: number
  /** Right on items whose better answer is known. */
  gold?: Proportion
  /** The same verdict when asked again. */
  repeats?: Proportion
  /** The first slot won, of verdicts that name a winner; of people and judges, who see an order. */
  first?: Proportion
  /** Of pairs that were seen in both orders. */
  position?: PositionBias
  /** Median seconds a verdict. */
  seconds?: number
}

/** In the order in which the raters first appear. */
export const raterQualities = (rows: readonly VerdictRow[]): RaterQuality[] =>
  [...groupBy(rows, ({ rater }) => rater)].map(([rater, own]) => qualityOf(rater, own))

function qualityOf(rater: string, rows: readonly VerdictRow[]): RaterQuality {
  const { judged, errors, skipped } = standing(rows)
  const known = judged.filter(({ gold }) => gold !== undefined)
  const repeats = repeatedVerdicts(rows)
  const slots = judged.map(slotOf).filter((slot) => slot !== 'tie')
  const both = bothOrders(rows)
  const seesOrder = rows[0].kind === 'person' || rows[0].kind === 'judge'
  const times = judged.flatMap(({ milliseconds }) => milliseconds ?? [])
  return {
    rater,
    kind: rows[0].kind,
    verdicts: judged.length,
    errors: errors.length,
    skipped: skipped.length,
    ...(known.length > 0 && { gold: share(known, ({ verdict, gold }) => verdict === gold) }),
    ...(repeats.length > 0 && { repeats: share(repeats, ([one, two]) => one.verdict === two.verdict) }),
    ...(seesOrder && { first: share(slots, (slot) => slot === 'first') }),
    ...(both.length > 0 && { position: positionBias(both) }),
    ...(times.length > 0 && { seconds: quantile(times, 0.5) / 1000 }),
  }
}

const share = <T>(items: readonly T[], holds: (item: T) => boolean): Proportion =>
  proportion(items.filter(holds).length, items.length)
