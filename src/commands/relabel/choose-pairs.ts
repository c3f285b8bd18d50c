/** Which pairs are judged again, and which answer of each is shown first. */
import type { Example } from '../../data/example.js'
import type { Prompt } from '../../dialogue.js'
import { hashUnit } from '../../random.js'
import { pairKeys } from '../../rescore/votes.js'

export interface Look {
  key: string
  id: string
  prompt: Prompt
  /** In the order in which they are shown. */
  answers: readonly [string, string]
  /** The answer that the label prefers: 0 or 1. It is not shown. */
  labelled: 0 | 1
}

/**
 * `count` of the labelled pairs at random, the same ones whatever their order in the files; each pair once. Which answer
 * stands first is random, too: a habit of the first one speaks neither for nor against labels.
 */
export function choosePairs(
  examples: readonly Example[],
  count: number,
  seed: number,
): { looks: Look[]; all: number } {
  const pairs = new Map<string, { look: Look; draw: number }>()
  for (const example of examples) {
    const keys = pairKeys(example)
    for (const { better, worse } of example.preferences) {
      const { key } = keys.of(better, worse)
      if (pairs.has(key) || !isText(example, better) || !isText(example, worse)) continue
      const firstIsBetter = hashUnit(`relabel order:${seed}:${key}`) < 0.5
      const [first, second] = firstIsBetter ? [better, worse] : [worse, better]
      const texts = [example.candidates[first].text, example.candidates[second].text] as const
      const { id, prompt } = example
      const look: Look = { key, id, prompt, answers: texts, labelled: firstIsBetter ? 0 : 1 }
      pairs.set(key, { look, draw: hashUnit(`relabel:${seed}:${key}`) })
    }
  }
  const drawn = [...pairs.values()].sort((a, b) => a.draw - b.draw || (a.look.key < b.look.key ? -1 : 1))
  return { looks: drawn.slice(0, count).map(({ look }) => look), all: pairs.size }
}

/** Tools and thoughts have no place in a file of judgements. */
const isText = ({ candidates }: Example, k: number): boolean =>
  candidates[k].tool_calls === undefined && candidates[k].reasoning_content === undefined
