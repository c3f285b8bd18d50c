/** The pieces of the noise audit: counts, lengths, histograms, the check against a known truth. */

import type { Preference } from '../data/example.js'
import { labelAgreement, type Proportion, proportion } from '../statistics/agreement.js'
import { createLengthBias } from '../statistics/length-bias.js'
import { mean, orNull, pearson } from '../statistics/statistics.js'
import { characters } from '../text/lengths.js'
import { places, samePair } from './pairs.js'
import type { LabelVerdict, RankedList } from './ranked.js'

export interface AuditCounts {
  lists: number
  labels: { total: number; kept: number; doubtful: number; reversed: number }
  pairs: { total: number; contrasted: number; leftAlone: number; meanWeight: number | null }
  /** Mean SFT gate. */
  gate: number | null
  /** Labels that the raw reward order agrees with; equal rewards count one half. */
  agreement: Proportion
}

/** Labels, pairs, gates and raw agreement of some lists. */
export function countLists(lists: readonly RankedList[]): AuditCounts {
  const labels = { total: 0, kept: 0, doubtful: 0, reversed: 0 }
  const pairs = { total: 0, contrasted: 0, leftAlone: 0 }
  let weight = 0
  for (const list of lists) {
    for (const { verdict } of list.labels) {
      labels.total++
      labels[verdict]++
    }
    for (const pair of list.pairs) {
      pairs.total++
      pairs[pair.weight > 0 ? 'contrasted' : 'leftAlone']++
      weight += pair.weight
    }
  }
  return {
    lists: lists.length,
    labels,
    pairs: { ...pairs, meanWeight: orNull(weight / pairs.total) },
    gate: orNull(mean(lists.map((list) => list.sft.weight))),
    agreement: labelAgreement(
      lists.map((list) => list.labels),
      lists.map((list) => list.rewards),
    ),
  }
}

export interface AuditedLengths {
  /** Length is counted in characters (code points). Ties count one half. */
  unit: 'characters'
  /** Labels whose preferred answer is the longer one. */
  chosenLonger: Proportion
  /** Lists whose best answer is longer than their worst, after ordering. */
  bestLonger: Proportion
  /** Contrasted pairs whose better answer is the longer one. */
  contrastedLonger: Proportion
  /** Pearson's correlation of reward and length over all answers; null where either does not vary. */
  rewardLength: number | null
  /** The same of the differences within pairs: free of what the prompts contribute. */
  rewardLengthWithin: number | null
}

/** Whether labels, rewards and the order after rescoring lean to long answers. */
export function auditLengths(lists: readonly RankedList[]): AuditedLengths {
  const [chosen, best, contrasted] = [createLengthBias(), createLengthBias(), createLengthBias()]
  const all: [number[], number[]] = [[], []]
  const within: [number[], number[]] = [[], []]
  for (const { example, rewards, order, pairs, labels } of lists) {
    const length = example.candidates.map((candidate) => characters(candidate.text))
    for (const { better, worse } of labels) chosen.add(length[better], length[worse])
    if (order.length > 1) best.add(length[order[0]], length[order[order.length - 1]])
    for (const { better, worse, weight } of pairs) {
      if (weight > 0) contrasted.add(length[better], length[worse])
      // By the file's order, not by `better`: an orientation by reward would bend the correlation.
      const [a, b] = better < worse ? [better, worse] : [worse, better]
      within[0].push(rewards[a] - rewards[b])
      within[1].push(length[a] - length[b])
    }
    for (const [i, r] of rewards.entries()) {
      all[0].push(r)
      all[1].push(length[i])
    }
  }
  return {
    unit: 'characters',
    chosenLonger: chosen.result().betterIsLonger,
    bestLonger: best.result().betterIsLonger,
    contrastedLonger: contrasted.result().betterIsLonger,
    rewardLength: orNull(pearson(...all)),
    rewardLengthWithin: orNull(pearson(...within)),
  }
}

export interface Histogram {
  /** bins + 1 edges in the reward's unit; a bin holds its lower edge, the last one both. */
  edges: number[]
  better: number[]
  worse: number[]
}

/** Rewards of chosen and rejected answers by label (before), of best and worst by the order (after), on one axis. */
export function rewardHistograms(
  lists: readonly RankedList[],
  bins = 24,
): { before: Histogram; after: Histogram } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const r of lists.flatMap((list) => list.rewards)) {
    low = Math.min(low, r)
    high = Math.max(high, r)
  }
  if (low > high) [low, high] = [0, 1]
  if (low === high) [low, high] = [low - 0.5, high + 0.5]
  const edges = Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins)
  const empty = (): Histogram => ({ edges, better: new Array(bins).fill(0), worse: new Array(bins).fill(0) })
  const [before, after] = [empty(), empty()]
  const bin = (r: number) => Math.min(bins - 1, Math.floor(((r - low) / (high - low)) * bins))
  for (const { rewards, order, labels } of lists) {
    for (const { better, worse } of labels) {
      before.better[bin(rewards[better])]++
      before.worse[bin(rewards[worse])]++
    }
    if (order.length < 2) continue
    after.better[bin(rewards[order[0]])]++
    after.worse[bin(rewards[order[order.length - 1]])]++
  }
  return { before, after }
}

/** The audit against labels that are known to be right or wrong. */
export interface TruthCheck {
  /** Of the labels called reversed, those that are. */
  precision: Proportion
  /** Of the labels that are reversed, those called so. */
  recall: Proportion
  /** Order after rescoring agrees with the truth, against the labels themselves. */
  labelsRight: Proportion
  orderRight: Proportion
  /** Verdict by truth. */
  confusion: Record<LabelVerdict['verdict'], { right: number; wrong: number }>
}

/** @param truth for each list, whether each of its preferences is really reversed */
export function checkTruth(
  lists: readonly RankedList[],
  truth: (list: RankedList) => readonly boolean[],
): TruthCheck {
  const tally = () => ({ right: 0, wrong: 0 })
  const confusion = { kept: tally(), doubtful: tally(), reversed: tally() }
  let [labels, orders, all] = [0, 0, 0]
  for (const list of lists) {
    const wrong = truth(list)
    const place = places(list.order)
    for (const [i, preference] of list.example.preferences.entries()) {
      const { better, worse } = preference
      confusion[verdictOf(list, preference)][wrong[i] ? 'wrong' : 'right']++
      all++
      labels += Number(!wrong[i])
      orders += Number(wrong[i] !== place[better] < place[worse])
    }
  }
  const { kept, doubtful, reversed } = confusion
  return {
    precision: proportion(reversed.wrong, reversed.wrong + reversed.right),
    recall: proportion(reversed.wrong, kept.wrong + doubtful.wrong + reversed.wrong),
    labelsRight: proportion(labels, all),
    orderRight: proportion(orders, all),
    confusion,
  }
}

/** What became of a preference; second labels may have turned it round or cancelled it. */
function verdictOf({ labels }: RankedList, preference: Preference): LabelVerdict['verdict'] {
  const label = labels.find((one) => samePair(one, preference))
  if (label === undefined) return 'doubtful'
  if (label.better === preference.better || label.verdict === 'doubtful') return label.verdict
  return label.verdict === 'kept' ? 'reversed' : 'kept'
}
