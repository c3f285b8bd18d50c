/** Which rows say what an earlier row says already. */

import { answerKey, contentKey } from '../data/content-key.js'
import type { Example } from '../data/example.js'
import { createSeen } from '../data/read/seen.js'
import { extrasOf, saidIn } from '../dialogue.js'
import { hash64 } from '../random.js'
import { createNearIndex } from './near-index.js'

export interface Duplicate {
  kind: 'exact' | 'near'
  /** Which of the kept examples it repeats, counted from 0. */
  first: number
  /** 1 for exact ones. */
  similarity: number
}

export interface DuplicateOptions {
  /** Jaccard similarity, in [0.7, 1], from which prompt and answers count as nearly the same; undefined: exact only. */
  similarity?: number
  /** `row` (default): prompt, answers and labels; `prompt`: rows with the same prompt. */
  by?: 'row' | 'prompt'
}

/** @returns a function that tells what an example repeats; what repeats nothing is remembered as kept */
export function createDuplicates({ similarity, by = 'row' }: DuplicateOptions) {
  const seen = createSeen()
  const near = similarity === undefined ? undefined : createNearIndex(similarity)
  const beside: Beside[] = []
  let kept = 0
  return (example: Example): Duplicate | undefined => {
    const order = orderOf(example)
    const parts = by === 'prompt' ? [saidIn(example.prompt)] : partsOf(example, order)
    const key = by === 'prompt' ? JSON.stringify(example.prompt) : contentKey(example)
    const own = near && besideOf(example, by === 'prompt' ? [] : order, parts)
    const found = own && near.find(parts, (index) => sameBeside(own, beside[index]))
    // Odd places are those of rows that were no exact copies and are not kept either.
    const twin = seen.first(key, found ? found.index * 2 + 1 : kept * 2)
    if (twin !== undefined && twin % 2 === 0) return { kind: 'exact', first: twin / 2, similarity: 1 }
    if (found) return { kind: 'near', first: found.index, similarity: found.similarity }
    near?.add(parts)
    if (own) beside.push(own)
    kept++
    return undefined
  }
}

/** The better answers first. */
function orderOf({ candidates, preferences }: Example): number[] {
  const wins = candidates.map((_, i) => preferences.filter(({ better }) => better === i).length)
  return candidates.map((_, i) => i).sort((a, b) => wins[b] - wins[a] || a - b)
}

/** Prompt, then the answers in their order. */
const partsOf = ({ prompt, candidates }: Example, order: readonly number[]): string[] => [
  saidIn(prompt),
  ...order.map((i) => candidates[i].text),
]

/** What a row holds beside its texts. */
interface Beside {
  /** Tools and calls of the prompt; calls and reasoning of the answers, and who said what of them: verdicts and votes. */
  held: bigint
  /** The texts in the order of their labels, and whatever their order is. */
  ordered: bigint
  unordered: bigint
}

/** @param order the answers that are compared */
function besideOf(
  { prompt, candidates, votes = [] }: Example,
  order: readonly number[],
  parts: string[],
): Beside {
  const place = (i: number) => order.indexOf(i)
  const votesSaid = votes
    .map(({ better, worse, count, annotator = '' }) => [place(better), place(worse), count, annotator].join())
    .sort()
  const answers = order.map((i) => [
    candidates[i].desirable ?? null,
    answerKey({ ...candidates[i], text: '' }),
  ])
  const turns = typeof prompt === 'string' ? [] : prompt.flatMap((turn) => extrasOf(turn) ?? [])
  return {
    held: hash64(JSON.stringify(order.length > 0 ? [turns, answers, votesSaid] : turns)),
    ordered: hash64(JSON.stringify(parts)),
    unordered: hash64(JSON.stringify(parts.toSorted())),
  }
}

/** Rows differ where they hold other things, or where the same texts stand in another order: similar texts would hide it. */
const sameBeside = (a: Beside, b: Beside) =>
  a.held === b.held && (a.unordered !== b.unordered || a.ordered === b.ordered)
