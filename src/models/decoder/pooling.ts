/** Where in a dialogue a reward is read: at its last token, or as the mean over all of them. */
import type { PackedBatch } from '../../data/encode/pack.js'
import { fromData, i64, ops, type Tensor } from '../../tensor/index.js'
import { type Decoder, rewards } from './decoder.js'

/** Reward of each candidate of a batch that was packed with `lastToken`, [T, D] -> [C]. */
export function pooledRewards(model: Decoder, hidden: Tensor, batch: PackedBatch): Tensor {
  if (model.config.pooling === 'mean') return meanRewards(model, hidden, dialogueRows(batch))
  const rows = model.config.pooling === 'last' ? batch.lastRows : beforePadding(model, batch)
  return rewards(model, hidden, i64(rows))
}

/** Rows of the stream that make each candidate's dialogue, its prompt's first. */
function dialogueRows({ segments, lastRows }: PackedBatch): number[][] {
  const byLast = new Map(segments.filter((s) => s.end > s.start).map((s) => [s.end - 1, s]))
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
  return Array.from(lastRows, (last) => {
    const segment = byLast.get(last)
    if (!segment) return []
    return [...range(segment.contextStart, segment.contextEnd), ...range(segment.start, segment.end)]
  })
}

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

/** The head is linear: the mean of its values is its value on the mean. */
function meanRewards(model: Decoder, hidden: Tensor, dialogues: readonly number[][]): Tensor {
  const each = rewards(model, hidden) // [T]
  const owner = dialogues.flatMap((rows, candidate) => rows.map(() => candidate))
  const share = dialogues.flatMap((rows) => rows.map(() => 1 / rows.length))
  const picked = ops.indexSelect(each, 0, i64(dialogues.flat()))
  const weighted = ops.mul(picked, ops.to(fromData(Float64Array.from(share)), picked.dtype))
  return ops.indexAdd(ops.zeros([dialogues.length], picked.dtype), 0, i64(owner), weighted)
}
