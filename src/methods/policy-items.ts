/** Examples and ranked lists as items of a training, in the form that the method learns from. */
import type { EncodedExample } from '../data/encode/encoded.js'
import type { Example } from '../data/example.js'
import { isRankedFile } from '../rescore/is-ranked-file.js'
import type { RankedList, RankedPair } from '../rescore/ranked.js'
import type { Session } from '../session/session.js'
import { onlyBest, type TrainItem } from '../train/loop/items.js'
import { materialOf } from './methods.js'

type Options = Session['options']

/** The human-chosen answer, else the first. */
export function chosenIndex({ preferences, candidates }: Example): number {
  const wins = candidates.map(
    (_, i) =>
      preferences.filter((p) => p.better === i).length - preferences.filter((p) => p.worse === i).length,
  )
  return wins.indexOf(Math.max(...wins))
}

/** SFT on the human-chosen answer of each example. */
export function sftItems(examples: readonly Example[], encoded: readonly EncodedExample[]): TrainItem[] {
  return examples.map((example, i) =>
    onlyBest({ encoded: encoded[i], pairs: [], sft: { index: chosenIndex(example), weight: 1 }, labels: [] }),
  )
}

/** The pairs of a list that are contrasted. */
export function pairsOf({ pairs, order }: RankedList, which: Options['listPairs']): RankedPair[] {
  if (which === 'adjacent') return pairs.filter(({ distance }) => distance === 1)
  if (which === 'best_vs_rest') return pairs.filter((p) => p.better === order[0] || p.worse === order[0])
  return pairs
}

/** A belief as log-odds; certainty is as large as the number next to 1 lets it be. */
const logOdds = (belief: number): number => {
  const q = Math.min(belief, 1 - 2 ** -53)
  return Math.log(q / (1 - q))
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

/** Whether SFT takes the answer that people chose; of a rescored file it takes the best, unless told otherwise. */
function takesChosen({ method, sftTarget, trainDataset }: Options): boolean {
  if (method !== 'sft') return false
  if (sftTarget !== undefined) return sftTarget === 'chosen'
  return ![trainDataset ?? []].flat().some(isRankedFile)
}

/** What the method takes of ranked lists. */
export function rankedItems(
  { options }: Session,
  lists: readonly RankedList[],
  encoded: readonly EncodedExample[],
): TrainItem[] {
  const material = materialOf(options)
  const chosen = takesChosen(options)
  return lists.map((list, i): TrainItem => {
    const labels = list.example.preferences
    const pairs = pairsOf(list, options.listPairs)
    const item = { encoded: encoded[i], pairs, sft: list.sft, labels }
    if (material === 'answer') {
      return onlyBest(chosen ? { ...item, sft: { index: chosenIndex(list.example), weight: 1 } } : item)
    }
    if (material === 'rows') return { ...item, pairs: [], rows: rowsOf(list, pairs) }
    if (options.method !== 'pro') return item
    return { ...item, pairs: pairs.map((p) => ({ ...p, gap: logOdds(p.belief) })) }
  })
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
