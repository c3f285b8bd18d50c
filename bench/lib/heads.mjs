// Other ways to score the answers of a batch: log-probabilities at every row of the stream, and full logits.
import { product } from './product.mjs'

/** @returns {Promise<Record<string, Function>>} forwards of an objective, in place of the product's own */
export async function otherHeads() {
  const { decode, logits, targetLogProbs } = await product('models/decoder/decoder')
  const { streamOf } = await product('models/decoder/score')
  const { i64, ops } = await product('tensor/index')
  const summed = (batch, logp) =>
    ops.indexAdd(ops.zeros([batch.counts.length], 'f32'), 0, i64(batch.owners), logp)
  return {
    /** The head on all rows, then those of the answers: what is saved by the head on answers only. */
    everyRow(model, batch) {
      const hidden = decode(model, streamOf(batch))
      const next = new Int32Array(batch.tokens.length)
      batch.rows.forEach((row, i) => {
        next[row] = batch.targets[i]
      })
      // Rows that predict the first token of several answers stand in the stream once; the others are scored apart.
      const [logp] = targetLogProbs(model, hidden, i64(next), 2 ** 40)
      const extra = [...batch.rows.keys()].filter((i) => next[batch.rows[i]] !== batch.targets[i])
      const own = ops.indexSelect(logp, 0, i64(batch.rows))
      if (extra.length === 0) return { sum: summed(batch, own) }
      const [apart] = targetLogProbs(
        model,
        ops.indexSelect(hidden, 0, i64(extra.map((i) => batch.rows[i]))),
        i64(extra.map((i) => batch.targets[i])),
        2 ** 40,
      )
      const wrong = ops.indexSelect(own, 0, i64(extra))
      return { sum: summed(batch, ops.indexAdd(own, 0, i64(extra), ops.sub(apart, wrong))) }
    },
    /** As the usual padded code does it: logits and log-softmax at every row. */
    fullLogits(model, batch) {
      const all = ops.logSoftmax(logits(model, decode(model, streamOf(batch))), 1)
      const picked = ops.gather(
        ops.indexSelect(all, 0, i64(batch.rows)),
        1,
        i64(batch.targets, [batch.targets.length, 1]),
      )
      return { sum: summed(batch, ops.squeeze(picked, 1)) }
    },
  }
}
