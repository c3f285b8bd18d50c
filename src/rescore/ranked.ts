/** Rewards, labels and their uncertainty, turned into what a loss needs. All probability ends here. */
import type { Example } from '../data/example.js'

export interface RankedPair {
  /** Candidate indices; `better` is the one believed better. */
  better: number
  worse: number
  /** Rank distance in `order`, from 1. */
  distance: number
  /** Probability that `better` is better, at least 1/2. */
  belief: number
  /** Weight in the contrastive loss; 0 leaves the pair alone. */
  weight: number
}

/** The labels that the order contradicts (`reversed`) or whose belief is below `min_confidence` (`doubtful`). */
export interface LabelVerdict {
  better: number
  worse: number
  verdict: 'kept' | 'doubtful' | 'reversed'
  /** Probability that the human label is right. */
  belief: number
}

/** One example, scored and ordered; also one line of a rescored JSONL file. */
export interface RankedList {
  example: Example
  /** Raw rewards [n], in the unit of the scorer. */
  rewards: number[]
  /** Candidate indices, best first. */
  order: number[]
  pairs: RankedPair[]
  /** `index` is the answer that the SFT term keeps likely; `weight` its gate in [0, 1]. */
  sft: { index: number; weight: number }
  labels: LabelVerdict[]
}
