/** Scores of packed candidates: summed log-probabilities from a language model, rewards from a reward model. */
import type { PackedBatch } from '../../data/encode/pack.js'
import { type PackedStream, packedStream } from '../../nn/layout.js'
import { i64, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import { type Decoder, decode, targetLogProbs } from './decoder.js'
import { pooledRewards } from './pooling.js'

/** Bytes of probabilities that are kept for the backward pass; those beyond are computed twice. */
export const KEPT_PROBABILITIES = 96 * 2 ** 20

/** The batch as the model takes it: T tokens, their positions and segments. */
export function streamOf(batch: PackedBatch): PackedStream {
  const segments = batch.segments.map(({ start, end, contextStart, contextEnd, list }) => {
    return { q0: start, q1: end, c0: contextStart, c1: contextEnd, k0: start, k1: end, task: list }
  })
  return packedStream(batch.tokens, batch.positions, segments)
}

export interface CandidateLogProbs {
  /** Summed over each candidate's scored tokens, [C]. */
  sum: Tensor
  /** Scored tokens whose target is the model's first choice, [R] bool. */
  hits: Tensor
}

/**
 * log p(answer | prompt) of each of a batch's C candidates, in nats; its R scored tokens are summed by owner. The batch was packed without `lastToken`.
 * @example
 * ```ts
 * const { examples } = await readExamples('prefs.jsonl')
 * const tokenizer = await loadTokenizer('model')
 * const { encoded } = await encodeExamples(examples, tokenizer, await chatTemplate(tokenizer, 'hh'), { maxLength: 128 })
 * const [batch] = packLists(encoded, { maxTokens: 4096, lastToken: false })
 * candidateLogProbs(loadModel('model'), batch).sum.shape // [16]
 * ```
 */
export function candidateLogProbs(model: Decoder, batch: PackedBatch): CandidateLogProbs {
  const hidden = decode(model, streamOf(batch))
  const scored = ops.indexSelect(hidden, 0, i64(batch.rows)) // [T, D] -> [R, D]
  const [logp, hits] = targetLogProbs(model, scored, i64(batch.targets), KEPT_PROBABILITIES)
  const zeros = ops.zeros([batch.counts.length], logp.dtype)
  return { sum: ops.indexAdd(zeros, 0, i64(batch.owners), logp), hits }
}

/** The sums of `candidateLogProbs` as numbers, without gradients. */
export const logProbSums = (model: Decoder, batch: PackedBatch): number[] =>
  noGrad(() => scope(() => candidateLogProbs(model, batch).sum.numbers()))

/**
 * Reward of each candidate, [C], in f32 at least. The batch was packed with `lastToken`.
 * @example
 * ```ts
 * const { examples } = await readExamples('prefs.jsonl')
 * const tokenizer = await loadTokenizer('model')
 * const { encoded } = await encodeExamples(examples, tokenizer, await chatTemplate(tokenizer, 'hh'), { maxLength: 128 })
 * const [batch] = packLists(encoded, { maxTokens: 4096, lastToken: true })
 * candidateRewards(loadModel('reward'), batch).shape // [16]
 * ```
 */
export function candidateRewards(model: Decoder, batch: PackedBatch): Tensor {
  const rewards = pooledRewards(model, decode(model, streamOf(batch)), batch)
  return rewards.dtype === 'bf16' ? ops.to(rewards, 'f32') : rewards
}
