/** What every loss takes and gives. A loss knows no model. */
import type { Tensor } from '../tensor/index.js'

/** Scores of the candidates of one or more lists, flat: list i is offsets[i] … offsets[i + 1] - 1. */
export interface Scores {
  /** Summed log-probabilities of the scored tokens (rewards, for reward losses), [C]. */
  sum: Tensor
  /** Scored tokens, [C]. */
  counts: readonly number[]
  offsets: readonly number[]
}

/** `better` and `worse` are places in the list. Pairs of one `group` share a denominator. */
export interface LossPair {
  better: number
  worse: number
  /** Rank distance, from 1. */
  distance: number
  weight: number
  group: number
}

/** The answer that is kept likely, and how much. */
export interface LossSft {
  index: number
  weight: number
  group: number
}

export interface LossList {
  pairs: readonly LossPair[]
  sft: LossSft
}

/** Sums over the whole optimizer step, counted before the first forward: no result changes with the micro-batches. */
export interface Denominators {
  pairs: ReadonlyMap<number, number>
  sft: ReadonlyMap<number, number>
}

/** Shares of the step's loss: adding them over micro-batches (and ranks) gives the step's values. */
export interface LossParts {
  /** Scalar; backward starts here. */
  total: Tensor
  parts: Record<string, Tensor>
}
