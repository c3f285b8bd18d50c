/**
 * What all pairwise losses share: L = sum over pairs of w * l(pair) / sum of w, and around it two terms that any of them can
 * carry: the negative log-likelihood of the pairs' better answers (CPO, ORPO), and CLHA's gated SFT term. A loss itself is a
 * `PairTerm`, one small file each.
 */
import { i64, ops, type Tensor } from '../tensor/index.js'
import { countsOf, share, sumByGroup, sumDenominators } from './denominators.js'
import { fromNumbers } from './from-numbers.js'
import { sftTerm } from './sft-term.js'
import type { Denominators, LossList, LossPair, LossParts, Scores, StepFacts } from './types.js'

/** The better or the worse answers of P pairs; every tensor is [P]. */
export interface Side {
  /** S, summed log-probabilities. */
  sum: Tensor
  /** s = S / c. */
  mean(): Tensor
  /** D = S - S_ref. */
  ratio(): Tensor
  /** D / c. */
  meanRatio(): Tensor
}

export interface PairContext {
  pairs: readonly LossPair[]
  facts?: StepFacts
}

/** Scores of one pair of the step, as numbers. */
export interface PairNumbers {
  pair: LossPair
  better: number
  worse: number
  betterReference: number
  worseReference: number
}

/** Loss of each pair, [P]. */
export type PairTerm = (better: Side, worse: Side, context: PairContext) => Tensor

export interface PairwiseOptions {
  term: PairTerm
  /** Weight of the token-mean negative log-likelihood of the pairs' better answers. */
  nllWeight: number
  /** Weight of CLHA's gated SFT term, a mean over tokens. */
  sftWeight: number
}

const counted = (list: LossList) => list.pairs.filter(({ weight }) => weight !== 0)

/** Denominators of a whole optimizer step; pass them to each of its micro-batches. */
export function pairwiseDenominators(
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
): Denominators {
  const tokens = lists.flatMap((list, i) =>
    counted(list).map((p) => [p.group, p.weight * counts[i][p.better]] as const),
  )
  return { ...sumDenominators(lists, counts, 'tokens'), nll: sumByGroup(tokens) }
}

function side(scores: Scores, index: readonly number[]): Side {
  const { dtype } = scores.sum
  const sum = ops.indexSelect(scores.sum, 0, i64(index))
  // an answer without scored tokens has S = 0, and 0 / 0 would reach every gradient
  const counts = () =>
    fromNumbers(
      index.map((c) => Math.max(1, scores.counts[c])),
      dtype,
    )
  const ratio = () => {
    const { reference } = scores
    if (!reference) throw new Error('this loss needs log-probabilities of a reference model')
    return ops.sub(
      sum,
      fromNumbers(
        index.map((c) => reference[c]),
        dtype,
      ),
    )
  }
  return {
    sum,
    mean: () => ops.div(sum, counts()),
    ratio,
    meanRatio: () => ops.div(ratio(), counts()),
  }
}

/**
 * @param denominators of the whole step; those of `lists` alone when left out
 * @returns parts `rank_loss`, `nll_loss`, `sft_loss` where there is more than the pairs' own term
 */
export function pairwiseLoss(
  scores: Scores,
  lists: readonly LossList[],
  { term, nllWeight, sftWeight }: PairwiseOptions,
  denominators: Denominators = pairwiseDenominators(lists, countsOf(scores)),
): LossParts {
  const { dtype } = scores.sum
  const at = lists.flatMap((list, i) => counted(list).map((pair) => ({ pair, first: scores.offsets[i] })))
  const better = side(
    scores,
    at.map(({ pair, first }) => first + pair.better),
  )
  const worse = side(
    scores,
    at.map(({ pair, first }) => first + pair.worse),
  )
  const context = { pairs: at.map(({ pair }) => pair), facts: denominators.facts }
  const weights = (by: ReadonlyMap<number, number>) =>
    fromNumbers(
      context.pairs.map((p) => p.weight * share(by, p.group)),
      dtype,
    )
  const rank = ops.sum(ops.mul(term(better, worse, context), weights(denominators.pairs)))
  const parts: Record<string, Tensor> = {}
  if (nllWeight !== 0) {
    const nll = ops.neg(ops.sum(ops.mul(better.sum, weights(denominators.nll ?? new Map()))))
    parts.nll_loss = ops.mulScalar(nll, nllWeight)
  }
  if (sftWeight !== 0) parts.sft_loss = sftTerm(scores, lists, denominators, { sftWeight })
  const total = Object.values(parts).reduce((sum, part) => ops.add(sum, part), rank)
  return { total, parts: Object.keys(parts).length > 0 ? { rank_loss: rank, ...parts } : {} }
}
