/** The merges of a SentencePiece vocabulary: pieces with scores do not say which pairs make them, a tokenizer.json does. */

/**
 * All pairs of pieces that make a piece, the pair of the higher score first; of one piece's pairs, those of lower ids first.
 * Merging in this order is what SentencePiece does, which always joins the neighbours that make the piece of the highest score.
 * @param isMade whether a piece is made of others: control and user-defined ones are not
 */
export function mergesOfScores(
  pieces: readonly string[],
  scores: readonly number[],
  isMade: (id: number) => boolean,
): [string, string][] {
  const ids = new Map(pieces.map((piece, id) => [piece, id]))
  const found: { pair: [string, string]; score: number; left: number; right: number }[] = []
  for (const [id, piece] of pieces.entries()) {
    if (!isMade(id)) continue
    // Between code points: a piece is never half a character.
    for (let at = 1; at < piece.length; at++) {
      const unit = piece.charCodeAt(at)
      if (unit >= 0xdc00 && unit < 0xe000) continue
      const pair: [string, string] = [piece.slice(0, at), piece.slice(at)]
      const [left, right] = [ids.get(pair[0]), ids.get(pair[1])]
      if (left !== undefined && right !== undefined) found.push({ pair, score: scores[id], left, right })
    }
  }
  found.sort((a, b) => b.score - a.score || a.left - b.left || a.right - b.right)
  return found.map(({ pair }) => pair)
}
