/** Scores of packed candidates: summed log-probabilities from a language model, rewards from a reward model. */
import type { PackedBatch } from '../../data/encode/pack.js'
import { type PackedStream, packedStream } from '../../nn/layout.js'
import { f32, i64, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import { type Decoder, decode, logSumSquares, targetLogProbs } from './decoder.js'
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
  return summed(model, batch, scoredRows(model, batch))
}

/** Hidden states that predict the scored tokens, [T, D] -> [R, D]. */
const scoredRows = (model: Decoder, batch: PackedBatch): Tensor =>
  ops.indexSelect(decode(model, streamOf(batch)), 0, i64(batch.rows))

/** Sums by candidate, [R] -> [C]. */
const byCandidate = ({ counts, owners }: PackedBatch, values: Tensor): Tensor =>
  ops.indexAdd(ops.zeros([counts.length], values.dtype), 0, i64(owners), values)

function summed(model: Decoder, batch: PackedBatch, scored: Tensor): CandidateLogProbs & { logp: Tensor } {
  const [logp, hits] = targetLogProbs(model, scored, i64(batch.targets), KEPT_PROBABILITIES)
  return { sum: byCandidate(batch, logp), hits, logp }
}

/**
 * The same, with how each answer stands to what the model itself would say: the mean over its tokens of ln p - ln sum p² over the
 * vocabulary, without gradient, [C]. 0 is an answer as likely as one that the model draws.
 */
export function alignedLogProbs(model: Decoder, batch: PackedBatch): CandidateLogProbs & { aligned: Tensor } {
  const scored = scoredRows(model, batch)
  const { sum, hits, logp } = summed(model, batch, scored)
  const aligned = noGrad(() => {
    const apart = ops.sub(ops.detach(logp), logSumSquares(model, ops.detach(scored)))
    const counts = f32(batch.counts.map((count) => Math.max(1, count)))
    return ops.div(byCandidate(batch, apart), ops.to(counts, apart.dtype))
  })
  return { sum, hits, aligned }
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
