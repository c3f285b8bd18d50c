/** What every loss takes and gives. A loss knows no model. */
import type { Tensor } from '../tensor/index.js'

/** Scores of the candidates of one or more lists, flat: list i is offsets[i] … offsets[i + 1] - 1. */
export interface Scores {
  /** Summed log-probabilities of the scored tokens (rewards, for reward losses), [C]. */
  sum: Tensor
  /** Scored tokens, [C]. */
  counts: readonly number[]
  offsets: readonly number[]
  /** Summed log-probabilities under the reference model, [C]; for losses that compare with one. */
  reference?: readonly number[]
  /** Mean over an answer's tokens of ln p(token) - ln sum p², without gradient, [C]; for `use_weighting`. */
  aligned?: Tensor
}

/** `better` and `worse` are places in the list. Pairs of one `group` share a denominator. */
export interface LossPair {
  better: number
  worse: number
  /** Rank distance, from 1. */
  distance: number
  weight: number
  group: number
  /** Log-odds that `better` is better (the reward gap, in the reward's unit); for losses that take it. */
  gap?: number
  /** Where the beginnings of both answers stand that are as long as the shorter one; the shorter is its own. For `ld_alpha`. */
  fronts?: readonly [better: number, worse: number]
}

/** An answer judged by itself. */
export interface LossRow {
  index: number
  desirable: boolean
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
  /** For losses without pairs. */
  rows?: readonly LossRow[]
}

/** Sums over the whole optimizer step, counted before the first forward: no result changes with the micro-batches. */
export interface Denominators {
  pairs: ReadonlyMap<number, number>
  sft: ReadonlyMap<number, number>
  /** Weighted tokens of the pairs' better answers. */
  nll?: ReadonlyMap<number, number>
  /** Weights of the rows. */
  rows?: ReadonlyMap<number, number>
  facts?: StepFacts
}

/** What some losses take, without gradient, from the scores of the whole step. */
export interface StepFacts {
  /** Subtracted from every log-ratio, reward or exponent: KTO's estimate of the KL divergence, BCO's running mean, Dr. DPO's ln mean. */
  shift?: number
  /** AOT: what each pair is matched with. RPO-EM: the belief that its label is right. */
  partners?: ReadonlyMap<LossPair, Partner>
  /** Of the losses of a mix, in their order. */
  parts?: readonly (StepFacts | undefined)[]
  /** For the log. */
  metrics: Record<string, number>
}

/** Of one pair, the numbers of equal rank among all pairs of the step. */
export interface Partner {
  /** What the better side (or the pair's gap) is compared with. */
  ofBetter: number
  /** What the worse side is compared with, and the weight of that comparison; only where the sides are sorted apart. */
  ofWorse?: number
  weight?: number
}

/** Shares of the step's loss: adding them over micro-batches (and ranks) gives the step's values. */
export interface LossParts {
  /** Scalar; backward starts here. */
  total: Tensor
  parts: Record<string, Tensor>
}
