// Other layouts of a packed batch, for what the product's own saves: no shared prompt, and padded rows.

/** Rows of each list's candidates as [prompt + answer], from a packed batch. */
function sequencesOf(batch) {
  const { tokens, segments, offsets } = batch
  const out = []
  for (let list = 0; list + 1 < offsets.length; list++) {
    const own = segments.filter((s) => s.list === list)
    const prompt = own.find((s) => s.start === s.contextStart)
    const context = tokens.subarray(prompt.start, prompt.end)
    const answers = own.filter((s) => s !== prompt)
    if (answers.length !== offsets[list + 1] - offsets[list])
      throw new Error('this layout needs answers of two tokens and more')
    for (const { start, end } of answers)
      out.push({ list, start, prompt, ids: Int32Array.from([...context, ...tokens.subarray(start, end)]) })
  }
  return out
}

/**
 * The same candidates, each with its prompt, one behind another.
 * @param {number} [pad] id that fills rows up to the longest of the batch; undefined: no padding
 */
export function unsharedBatch(batch, pad) {
  const sequences = sequencesOf(batch)
  const longest = Math.max(...sequences.map((s) => s.ids.length))
  const tokens = []
  const positions = []
  const segments = []
  const starts = sequences.map(({ ids, list }) => {
    const start = tokens.length
    const length = pad === undefined ? ids.length : longest
    for (let t = 0; t < length; t++) {
      tokens.push(t < ids.length ? ids[t] : pad)
      positions.push(t)
    }
    segments.push({ start, end: tokens.length, contextStart: start, contextEnd: start, list })
    return start
  })
  const rows = batch.rows.map((row, i) => {
    const candidate = batch.owners[i]
    const { start, prompt } = sequences[candidate]
    const length = prompt.end - prompt.start
    const within = row < prompt.end && row >= prompt.start ? row - prompt.start : length + row - start
    return starts[candidate] + within
  })
  return { ...batch, tokens: Int32Array.from(tokens), positions: Int32Array.from(positions), segments, rows }
}
