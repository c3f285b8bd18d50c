/** What training takes from a list: its tokens, its pairs and gate, and the human labels for the log. */
import { createHash } from 'node:crypto'
import type { EncodedAnswer, EncodedExample } from '../data/encoded.js'
import type { Preference } from '../data/example.js'
import { type PackedBatch, packLists } from '../data/pack.js'
import type { LossList } from '../losses/types.js'
import type { RankedPair } from '../rescore/ranked.js'

export interface TrainItem {
  encoded: EncodedExample
  pairs: readonly Omit<RankedPair, 'belief'>[]
  sft: { index: number; weight: number }
  labels: readonly Preference[]
}

/** Everything that shares one optimizer step. Denominators are counted over it before the first forward. */
export interface StepPlan {
  micro: PackedBatch[]
  /** By item. */
  lists: LossList[]
  /** Scored tokens of each candidate of each item. */
  counts: number[][]
  labels: (readonly Preference[])[]
  /** Number of groups the loss averages over: 1, but for `legacy`. */
  groups: number
}

export interface PlanOptions {
  maxTokens: number
  lastToken: boolean
  /** `legacy`: this many consecutive items share denominators and decide who gets an end token. */
  legacyGroupSize?: number
}

/** No term's distance reaches this: group ids of pairs are group * GROUP + distance. */
const GROUP = 1 << 16

export function planStep(items: readonly TrainItem[], options: PlanOptions): StepPlan {
  const size = options.legacyGroupSize
  const group = (i: number) => (size ? Math.floor(i / size) : 0)
  const encoded = size ? legacyEnds(items, size) : items.map((item) => item.encoded)
  return {
    micro: packLists(encoded, options),
    lists: items.map(({ pairs, sft }, i) => ({
      pairs: pairs.map((p) => ({ ...p, group: size ? group(i) * GROUP + p.distance : 0 })),
      sft: { ...sft, group: group(i) },
    })),
    counts: encoded.map(({ answers }) => answers.map((a) => a.ids.length - a.scoredFrom)),
    labels: items.map((item) => item.labels),
    groups: size ? Math.ceil(items.length / size) : 1,
  }
}

/**
 * In the paper's code the pad token is the end token, so an answer has an end target only where it is padded: where it is
 * shorter than the longest row of its micro-batch.
 */
function legacyEnds(items: readonly TrainItem[], size: number): EncodedExample[] {
  const out: EncodedExample[] = []
  for (let at = 0; at < items.length; at += size) {
    const group = items.slice(at, at + size).map((item) => item.encoded)
    const row = (prompt: Int32Array, a: EncodedAnswer) => prompt.length + a.ids.length - (a.ended ? 1 : 0)
    const longest = Math.max(...group.flatMap((e) => e.answers.map((a) => row(e.promptIds, a))))
    for (const example of group) {
      const answers = example.answers.map((answer) =>
        answer.ended && row(example.promptIds, answer) === longest
          ? { ...answer, ids: answer.ids.subarray(0, answer.ids.length - 1), ended: false }
          : answer,
      )
      out.push({ ...example, answers })
    }
  }
  return out
}

/** SHA-256 of everything that training takes from items, in their order. */
export function hashItems(items: readonly TrainItem[]): string {
  const hash = createHash('sha256')
  const ids = (array: Int32Array) =>
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  for (const { encoded, pairs, sft } of items) {
    hash.update(
      JSON.stringify([
        pairs,
        sft,
        encoded.promptIds.length,
        encoded.answers.map((a) => [a.ids.length, a.scoredFrom]),
      ]),
    )
    ids(encoded.promptIds)
    for (const answer of encoded.answers) ids(answer.ids)
  }
  return hash.digest('hex')
}

/** The item with only the answer that SFT keeps likely. */
export function onlyBest(item: TrainItem): TrainItem {
  const answers = [item.encoded.answers[item.sft.index]]
  return {
    encoded: { ...item.encoded, answers },
    pairs: [],
    sft: { index: 0, weight: item.sft.weight },
    labels: [],
  }
}
