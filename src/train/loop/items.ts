/** What training takes from a list: its tokens, its pairs and gate, and the human labels for the log. */
import { createHash } from 'node:crypto'
import type { EncodedAnswer, EncodedExample } from '../../data/encode/encoded.js'
import { type PackedBatch, packLists } from '../../data/encode/pack.js'
import type { Preference } from '../../data/example.js'
import type { LossList, LossPair, LossRow } from '../../losses/types.js'

export interface TrainItem {
  encoded: EncodedExample
  pairs: readonly Omit<LossPair, 'group'>[]
  sft: { index: number; weight: number }
  labels: readonly Preference[]
  /** Answers judged by themselves, for losses without pairs. */
  rows?: readonly Omit<LossRow, 'group'>[]
  /** Log-probability sums of the answers under the reference model. */
  reference?: readonly number[]
  /** The answer to another prompt behind this prompt: KTO estimates the KL divergence from such. */
  mismatched?: { encoded: EncodedExample; reference: readonly number[] }
}

/** Everything that shares one optimizer step. Denominators are counted over it before the first forward. */
export interface StepBatch {
  micro: PackedBatch[]
  /** By item. */
  lists: LossList[]
  /** Scored tokens of each candidate of each item. */
  counts: number[][]
  labels: (readonly Preference[])[]
  /** Log-probability sums of each candidate of each item under the reference model. */
  reference: (readonly number[] | undefined)[]
  mismatched?: { micro: PackedBatch[]; reference: readonly number[][] }
  /** Number of groups the loss averages over: 1, but for `legacy`. */
  groups: number
}

export interface PackStepOptions {
  maxTokens: number
  lastToken: boolean
  /** `legacy`: this many consecutive items share denominators and decide who gets an end token. */
  legacyGroupSize?: number
}

/** No term's distance reaches this: group ids of pairs are group * GROUP + distance. */
const GROUP = 1 << 16

export function packStep(items: readonly TrainItem[], options: PackStepOptions): StepBatch {
  const size = options.legacyGroupSize
  const group = (i: number) => (size ? Math.floor(i / size) : 0)
  const encoded = size ? legacyEnds(items, size) : items.map((item) => item.encoded)
  const mismatched = items.flatMap((item) => (item.mismatched ? [item.mismatched] : []))
  return {
    micro: packLists(encoded, options),
    lists: items.map(({ pairs, sft, rows }, i) => ({
      pairs: pairs.map((p) => ({ ...p, group: size ? group(i) * GROUP + p.distance : 0 })),
      sft: { ...sft, group: group(i) },
      ...(rows && { rows: rows.map((row) => ({ ...row, group: 0 })) }),
    })),
    counts: encoded.map(({ answers }) => answers.map((a) => a.ids.length - a.scoredFrom)),
    labels: items.map((item) => item.labels),
    reference: items.map((item) => item.reference),
    ...(mismatched.length > 0 && {
      mismatched: {
        micro: packLists(
          mismatched.map((m) => m.encoded),
          options,
        ),
        reference: mismatched.map((m) => [...m.reference]),
      },
    }),
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
  const add = ({ promptIds, answers }: EncodedExample, facts: unknown[]) => {
    hash.update(
      JSON.stringify([...facts, promptIds.length, answers.map((a) => [a.ids.length, a.scoredFrom])]),
    )
    ids(promptIds)
    for (const answer of answers) ids(answer.ids)
  }
  for (const { encoded, pairs, sft, rows, reference, mismatched } of items) {
    const facts = rows || reference ? [{ rows, reference }] : []
    add(encoded, [pairs, sft, ...facts])
    if (mismatched) add(mismatched.encoded, [mismatched.reference])
  }
  return hash.digest('hex')
}
