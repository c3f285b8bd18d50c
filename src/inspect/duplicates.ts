/** Which rows say what an earlier row says already. */

import { contentKey } from '../data/content-key.js'
import type { Example } from '../data/example.js'
import { createSeen } from '../data/read/seen.js'
import { saidIn } from '../dialogue.js'
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
  let kept = 0
  return (example: Example): Duplicate | undefined => {
    const parts = by === 'prompt' ? [saidIn(example.prompt)] : partsOf(example)
    const key = by === 'prompt' ? JSON.stringify(example.prompt) : contentKey(example)
    const found = near?.find(parts)
    // Odd places are those of rows that were no exact copies and are not kept either.
    const twin = seen.first(key, found ? found.index * 2 + 1 : kept * 2)
    if (twin !== undefined && twin % 2 === 0) return { kind: 'exact', first: twin / 2, similarity: 1 }
    if (found) return { kind: 'near', first: found.index, similarity: found.similarity }
    near?.add(parts)
    kept++
    return undefined
  }
}

/** Prompt, then the answers, the better ones first: the same texts with other labels are no duplicates. */
function partsOf({ prompt, candidates, preferences }: Example): string[] {
  const wins = candidates.map((_, i) => preferences.filter(({ better }) => better === i).length)
  const order = candidates.map((_, i) => i)
  if (preferences.length > 0) order.sort((a, b) => wins[b] - wins[a] || a - b)
  const label = ({ desirable }: Example['candidates'][number]) =>
    desirable === undefined ? '' : desirable ? '+' : '-'
  return [saidIn(prompt), ...order.map((i) => label(candidates[i]) + candidates[i].text)]
}
