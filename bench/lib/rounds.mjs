// Which rows of the data a round takes; the same for every contender. Those of the first step only warm up.

/** Rows of a step where a spec has no `batch`. */
export const BATCH = 8

/** @param per rows of a round, a multiple of `batch` */
export function rowsOfRound(rows, round, per, batch = BATCH) {
  const own = rows.slice(batch)
  return Array.from({ length: per }, (_, i) => own[(round * per + i) % own.length])
}

export function* batches(rows, size = BATCH) {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size)
}

/** Tokens of prompt and answer, the prompt counted for every answer. */
export const tokensOf = (rows) =>
  rows.reduce((sum, { ids: [prompt, ...answers] }) => {
    return sum + answers.reduce((inner, answer) => inner + prompt.length + answer.length, 0)
  }, 0)

/** A row of the data as the product's lists have it. @param {{ids: number[][]}} row @param {number} index */
export function encodedOf({ ids: [prompt, ...answers] }, index) {
  return {
    id: `${index}`,
    source: 'bench',
    promptIds: Int32Array.from(prompt),
    answers: answers.map((ids) => ({
      ids: Int32Array.from(ids),
      scoredFrom: 0,
      truncated: false,
      ended: true,
    })),
    promptCut: 0,
  }
}
