/** Rewards, labels and their uncertainty, turned into what a loss needs. All probability ends here. */
import type { Example } from '../data/example.js'

export interface RankedPair {
  /** Candidate indices; `better` is the one believed better. */
  better: number
  worse: number
  /** Rank distance in `order`, from 1. */
  distance: number
  /** Probability that `better` is better, at least 1/2: the least of what is plausible. */
  belief: number
  /** Weight in the contrastive loss; 0 leaves the pair alone. */
  weight: number
}

/** What became of a label: `reversed` is believed wrong (below 1/2), `doubtful` is believed less than `min_confidence`. */
export interface LabelVerdict {
  better: number
  worse: number
  verdict: 'kept' | 'doubtful' | 'reversed'
  /** Probability that the human label is right: of what is plausible, that nearest to 1/2. */
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
