/** Where two texts differ, word by word, for people who compare answers. */

/** A run of words with the space behind them. `own`: the other text has it not at this place. */
export interface Piece {
  text: string
  own: boolean
}

/** Beyond so many words a side nothing is marked: a table of all pairs would take too long, and nobody reads it. */
const LONGEST = 600

/** Both texts in pieces, by their longest common subsequence of words; case and punctuation count. */
export function wordDiff(a: string, b: string): [Piece[], Piece[]] {
  const [x, y] = [a, b].map((text) => text.match(/\S+\s*|^\s+/g) ?? [])
  if (x.length > LONGEST || y.length > LONGEST) return [whole(a), whole(b)]
  const [sharedA, sharedB] = common(
    x.map((word) => word.trim()),
    y.map((word) => word.trim()),
  )
  return [pieces(x, sharedA), pieces(y, sharedB)]
}

const whole = (text: string): Piece[] => [{ text, own: false }]

/** Which words are in the common subsequence. */
function common(x: readonly string[], y: readonly string[]): [boolean[], boolean[]] {
  const width = y.length + 1
  // lengths[i][j]: of what x from i and y from j have in common.
  const lengths = new Uint16Array((x.length + 1) * width)
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        x[i] === y[j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1])
  const [inX, inY] = [x.map(() => false), y.map(() => false)]
  for (let i = 0, j = 0; i < x.length && j < y.length; ) {
    if (x[i] === y[j]) inX[i++] = inY[j++] = true
    else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++
    else j++
  }
  return [inX, inY]
}

function pieces(words: readonly string[], shared: readonly boolean[]): Piece[] {
  const out: Piece[] = []
  words.forEach((text, i) => {
    const last = out.at(-1)
    if (last && last.own === !shared[i]) last.text += text
    else out.push({ text, own: !shared[i] })
  })
  return out
}
