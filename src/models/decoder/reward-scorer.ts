/** What gives rewards to packed candidates: a decoder with a reward head, an encoder, or a language model by its perplexity. */
import type { PackedBatch } from '../../data/encode/pack.js'
import { f32, ops, type Tensor } from '../../tensor/index.js'
import type { Decoder } from './decoder.js'
import { candidateLogProbs, candidateRewards } from './score.js'

export interface RewardScorer {
  /** Rewards of the batch's candidates, [C]; the batch keeps each candidate's last token. */
  rewards(batch: PackedBatch): Tensor
  /**
   * Candidates of a list may stand behind one copy of their prompt. Where the prompt sees the answer, as in an encoder,
   * every candidate needs a prompt of its own.
   */
  sharesPrompts: boolean
  config: {
    /** Longest prompt with answer, tokens. */
    maxPositions: number
    vocabSize: number
  }
  dispose(): void
}

/** A decoder that scores; `dispose` frees the decoder. */
export const decoderScorer = (model: Decoder): RewardScorer => ({
  rewards: (batch) => candidateRewards(model, batch),
  sharesPrompts: true,
  config: model.config,
  dispose: () => model.dispose(),
})

/**
 * A language model that scores: the reward of an answer is its mean log-probability a token, -ln of its perplexity. `dispose`
 * frees the model.
 */
export const perplexityScorer = (model: Decoder): RewardScorer => ({
  rewards: (batch) => {
    const { sum } = candidateLogProbs(model, batch)
    const counts = f32(batch.counts.map((count) => Math.max(1, count)))
    return ops.div(sum, ops.to(counts, sum.dtype))
  },
  sharesPrompts: true,
  config: model.config,
  dispose: () => model.dispose(),
})
