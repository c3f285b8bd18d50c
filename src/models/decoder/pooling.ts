/** Where in a dialogue a reward is read: at its last token, as the mean over all of them, or, of a probe, over the answer too. */
import type { PackedBatch } from '../../data/encode/pack.js'
import { fromData, i64, ops, type Tensor } from '../../tensor/index.js'
import { type Decoder, rewards } from './decoder.js'

/** Reward of each candidate of a batch that was packed with `lastToken`, [T, D] -> [C]. */
export function pooledRewards(model: Decoder, hidden: Tensor, batch: PackedBatch): Tensor {
  const { pooling } = model.config
  // The head is linear: the mean of its values is its value on the mean.
  if (pooling === 'mean') return meanOver(rewards(model, hidden), dialogueRows(batch))
  if (pooling === 'lastAndMean') return probedRewards(rewards(model, hidden), batch)
  return rewards(model, hidden, i64(pooling === 'last' ? batch.lastRows : beforePadding(model, batch)))
}

/** The first value of each row counts at an answer's last token, the second as the mean over the answer, [T, 2] -> [C]. */
function probedRewards(values: Tensor, batch: PackedBatch): Tensor {
  const last = ops.indexSelect(ops.select(values, 1, 0), 0, i64(batch.lastRows))
  return ops.add(last, meanOver(ops.select(values, 1, 1), answerRows(batch)))
}

/**
 * What such a reward is linear in: the hidden state of each candidate's last token, and the mean of those of its answer,
 * [T, D] -> [C, 2 D].
 */
export const answerStates = (hidden: Tensor, batch: PackedBatch): Tensor =>
  ops.cat([ops.indexSelect(hidden, 0, i64(batch.lastRows)), meanOver(hidden, answerRows(batch))], 1)

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** The segment of each candidate, which ends with its last token. */
function segmentsOf({ segments, lastRows }: PackedBatch) {
  const byLast = new Map(segments.filter((s) => s.end > s.start).map((s) => [s.end - 1, s]))
  return Array.from(lastRows, (last) => byLast.get(last))
}

/** Rows of the stream that make each candidate's answer. */
const answerRows = (batch: PackedBatch): number[][] =>
  segmentsOf(batch).map((segment) => (segment ? range(segment.start, segment.end) : []))

/** Rows of the stream that make each candidate's dialogue, its prompt's first. */
const dialogueRows = (batch: PackedBatch): number[][] =>
  segmentsOf(batch).map((segment) =>
    segment ? [...range(segment.contextStart, segment.contextEnd), ...range(segment.start, segment.end)] : [],
  )

/**
 * transformers reads the score of `…ForSequenceClassification` at the last token that is not the pad token. Where a
 * tokenizer pads with EOS that is the token before EOS.
 */
function beforePadding({ hfConfig }: Decoder, batch: PackedBatch): ArrayLike<number> {
  const pad = hfConfig.pad_token_id
  if (typeof pad !== 'number' || !batch.lastRows.some((row) => batch.tokens[row] === pad))
    return batch.lastRows
  return dialogueRows(batch).map((rows, candidate) => {
    const unpadded = rows.filter((row) => batch.tokens[row] !== pad)
    return unpadded.at(-1) ?? batch.lastRows[candidate]
  })
}

/** Mean of each candidate's rows, [T] -> [C] or [T, D] -> [C, D]. */
function meanOver(values: Tensor, rows: readonly number[][]): Tensor {
  const owner = rows.flatMap((own, candidate) => own.map(() => candidate))
  const share = rows.flatMap((own) => own.map(() => 1 / own.length))
  const [, ...width] = values.shape
  const picked = ops.indexSelect(values, 0, i64(rows.flat()))
  const shares = ops.to(
    fromData(Float64Array.from(share), [share.length, ...width.map(() => 1)]),
    picked.dtype,
  )
  return ops.indexAdd(
    ops.zeros([rows.length, ...width], picked.dtype),
    0,
    i64(owner),
    ops.mul(picked, shares),
  )
}
