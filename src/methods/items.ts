/** Examples and ranked lists as items of a training, in the forms that methods learn from. */
import type { EncodedExample } from '../data/encode/encoded.js'
import type { Example } from '../data/example.js'
import { preferredIndex } from '../data/preferred.js'
import type { RankedList, RankedPair } from '../rescore/ranked.js'
import { logit } from '../statistics/statistics.js'
import type { TrainItem } from '../train/loop/items.js'
import type { SharedOptions } from './method.js'

type Pairs = Pick<SharedOptions, 'listPairs'>

/** The item with only the answer that SFT keeps likely. */
function onlyBest({ encoded, sft }: Pick<TrainItem, 'encoded' | 'sft'>): TrainItem {
  return {
    encoded: { ...encoded, answers: [encoded.answers[sft.index]] },
    pairs: [],
    sft: { index: 0, weight: sft.weight },
    labels: [],
  }
}

/** SFT on the preferred answer of each example. */
export function sftItems(examples: readonly Example[], encoded: readonly EncodedExample[]): TrainItem[] {
  return examples.map((example, i) =>
    onlyBest({ encoded: encoded[i], sft: { index: preferredIndex(example), weight: 1 } }),
  )
}

/** One answer of each list: the preferred one, or that which ranking put first. */
export function bestItems(
  lists: readonly RankedList[],
  encoded: readonly EncodedExample[],
  preferred: boolean,
): TrainItem[] {
  if (preferred)
    return sftItems(
      lists.map(({ example }) => example),
      encoded,
    )
  return lists.map(({ sft }, i) => onlyBest({ encoded: encoded[i], sft }))
}

/** The pairs of a list that are contrasted. */
export function pairsOf({ pairs, order }: RankedList, which: Pairs['listPairs']): RankedPair[] {
  if (which === 'adjacent') return pairs.filter(({ distance }) => distance === 1)
  if (which === 'best_vs_rest') return pairs.filter((p) => p.better === order[0] || p.worse === order[0])
  return pairs
}

/** Lists with their pairs. */
export function pairItems(
  lists: readonly RankedList[],
  encoded: readonly EncodedExample[],
  { listPairs }: Pairs,
): TrainItem[] {
  return lists.map((list, i) => ({
    encoded: encoded[i],
    pairs: pairsOf(list, listPairs),
    sft: list.sft,
    labels: list.example.preferences,
  }))
}

/** A belief as log-odds; certainty is as large as the number next to 1 lets it be. */
const logOdds = (belief: number): number => logit(Math.min(belief, 1 - 2 ** -53))

/** Lists with their pairs and how far apart these are. */
export function gapItems(
  lists: readonly RankedList[],
  encoded: readonly EncodedExample[],
  { listPairs }: Pairs,
): TrainItem[] {
  return pairItems(lists, encoded, { listPairs }).map((item, i) => ({
    ...item,
    pairs: pairsOf(lists[i], listPairs).map((p) => ({ ...p, gap: logOdds(p.belief) })),
  }))
}

/** Judged answers: by people where they were asked so, else both sides of each pair. */
function rowsOf({ example }: RankedList, pairs: readonly RankedPair[]): TrainItem['rows'] {
  const judged = example.candidates.flatMap(({ desirable }, index) =>
    desirable === undefined ? [] : [{ index, desirable, weight: 1 }],
  )
  if (judged.length > 0) return judged
  return pairs
    .filter(({ weight }) => weight > 0)
    .flatMap(({ better, worse, weight }) => [
      { index: better, desirable: true, weight },
      { index: worse, desirable: false, weight },
    ])
}

/** What SFT keeps likely: of answers that people judged one by one, the best that they want; where they want none, none. */
function wantedSft({ example, order, sft }: RankedList): RankedList['sft'] {
  const { candidates } = example
  if (candidates.every(({ desirable }) => desirable === undefined)) return sft
  const index = order.find((i) => candidates[i].desirable)
  return index === undefined ? { ...sft, weight: 0 } : { ...sft, index }
}

/** Lists as answers that are judged by themselves. */
export function rowItems(
  lists: readonly RankedList[],
  encoded: readonly EncodedExample[],
  { listPairs }: Pairs,
): TrainItem[] {
  return pairItems(lists, encoded, { listPairs }).map((item, i) => ({
    ...item,
    pairs: [],
    sft: wantedSft(lists[i]),
    rows: rowsOf(lists[i], pairsOf(lists[i], listPairs)),
  }))
}

/**
 * Each prompt with the judged answers of the next one, which KTO takes for its estimate of the KL divergence. TRL, too,
 * shifts the answers by one row.
 * @param maxLength tokens of prompt and answer
 */
export function withMismatched(items: readonly TrainItem[], maxLength: number): TrainItem[] {
  const judged = items.flatMap((item, i) => (item.rows?.length ? [i] : []))
  const next = new Map(judged.map((i, k) => [i, judged[(k + 1) % judged.length]]))
  return items.map((item, i) => {
    const other = items[next.get(i) ?? -1]
    if (!other || !item.rows || !other.rows) return item
    const { rows } = other
    const { promptIds, answers } = item.encoded
    const context = answers[0].ids.subarray(0, answers[0].scoredFrom)
    const room = Math.max(context.length + 1, maxLength - promptIds.length)
    const mismatched = item.rows.map((_, k) => {
      const { ids, scoredFrom, truncated } = other.encoded.answers[rows[k % rows.length].index]
      const whole = Int32Array.from([...context, ...ids.subarray(scoredFrom)])
      const cut = whole.length > room
      return {
        ids: whole.subarray(0, room),
        scoredFrom: context.length,
        truncated: truncated || cut,
        ended: !cut,
      }
    })
    return { ...item, mismatched: { encoded: { ...item.encoded, answers: mismatched }, reference: [] } }
  })
}
