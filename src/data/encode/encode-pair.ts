/** Prompt and answer as the two texts of a tokenizer's pair: tokenised apart, with its special tokens around them. */
import type { PairFrame } from '../../text/special-frames.js'
import type { TokenizedText } from '../../text/tokenized-text.js'

/**
 * One text per answer, without what closes the pair: the end token of the answers does.
 * @param texts the prompt, then the answers
 */
export function pairTexts([prompt, ...answers]: readonly TokenizedText[], frame: PairFrame): TokenizedText[] {
  const before = [...frame.before, ...prompt.ids, ...frame.between]
  return answers.map((answer) => ({
    ids: [...before, ...answer.ids],
    // Offsets would be those of two texts; only the boundary is asked for, and no token lies across it.
    starts: [],
    ends: [],
    boundary: () => ({ ended: before.length, straddles: false }),
  }))
}
