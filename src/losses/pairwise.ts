/**
 * What all pairwise losses share: L = sum over pairs of w * l(pair) / sum of w, and around it two terms that any of them can
 * carry: the negative log-likelihood of the pairs' better answers (CPO, ORPO), and CLHA's gated SFT term. A loss itself is a
 * `PairTerm`, one small file each.
 */
import { i64, ops, type Tensor } from '../tensor/index.js'
import { countsOf, share, sumByGroup, sumDenominators } from './denominators.js'
import { fromNumbers } from './from-numbers.js'
import { boundedExp } from './math.js'
import { divisors, referenceOf } from './scores.js'
import { sftTerm } from './sft-term.js'
import type { Denominators, LossList, LossPair, LossParts, Partner, Scores, StepFacts } from './types.js'

/** The better or the worse answers of P pairs; every tensor is [P]. */
export interface Side {
  /** S, summed log-probabilities, of all tokens alike. */
  whole: Tensor
  /** S as the loss takes it: under `ld_alpha` the tokens beyond the shorter answer count less. */
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

/** What each pair is matched with. @throws Error where the step was not looked at as a whole: a defect of the trainer */
export const partnersOf = ({ pairs, facts }: PairContext): Partner[] =>
  pairs.map((pair) => {
    const partner = facts?.partners?.get(pair)
    if (!partner) throw new Error('this loss needs facts of the whole step')
    return partner
  })

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

/** A loss of pairs, with what it takes of the whole step and what it remembers between steps. */
export interface PairLoss {
  term: PairTerm
  /** Without gradient, before the first gradient of a step; held-out data (`training` false) leave no trace. */
  facts?(pairs: readonly PairNumbers[], training: boolean): StepFacts
  /** Part of every checkpoint. */
  state?(): Record<string, number>
  restore?(state: Record<string, number>): void
}

export interface PairwiseOptions {
  term: PairTerm
  /** Weight of the token-mean negative log-likelihood of the pairs' better answers. */
  nllWeight: number
  /** Weight of CLHA's gated SFT term, a mean over tokens. */
  sftWeight: number
  /** What the tokens of the longer answer count beyond the length of the shorter one (LD-DPO, arXiv 2409.06411); 1 when left out. */
  ldAlpha?: number
  /** Pairs count as much as the policy itself would give their answers (WPO, arXiv 2406.11827, eq. 2; TRL 1.16.0). */
  weighting?: boolean
}

/** Scores of an answer of which the tokens beyond its front count `ldAlpha`. */
export const frontSum = (sum: number, front: number, ldAlpha: number): number =>
  ldAlpha * sum + (1 - ldAlpha) * front

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

interface Place {
  index: number
  /** Of the answer's beginning that is as long as the other answer. */
  front: number
}

function side(scores: Scores, places: readonly Place[], ldAlpha: number): Side {
  const { dtype } = scores.sum
  const at = (of: (place: Place) => number) => ops.indexSelect(scores.sum, 0, i64(places.map(of)))
  const whole = at((place) => place.index)
  const sum =
    ldAlpha === 1
      ? whole
      : ops.add(
          ops.mulScalar(whole, ldAlpha),
          ops.mulScalar(
            at((place) => place.front),
            1 - ldAlpha,
          ),
        )
  const counts = () =>
    divisors(
      places.map(({ index }) => scores.counts[index]),
      dtype,
    )
  const ratio = () => {
    const reference = referenceOf(scores)
    return ops.sub(
      sum,
      fromNumbers(
        places.map((place) => frontSum(reference[place.index], reference[place.front], ldAlpha)),
        dtype,
      ),
    )
  }
  return {
    whole,
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
  { term, nllWeight, sftWeight, ldAlpha = 1, weighting = false }: PairwiseOptions,
  denominators: Denominators = pairwiseDenominators(lists, countsOf(scores)),
): LossParts {
  const { dtype } = scores.sum
  const at = lists.flatMap((list, i) => counted(list).map((pair) => ({ pair, first: scores.offsets[i] })))
  const places = (which: 'better' | 'worse', front: 0 | 1) =>
    at.map(({ pair, first }) => {
      if (ldAlpha !== 1 && !pair.fronts) throw new Error('ld_alpha needs the fronts of each pair')
      return { index: first + pair[which], front: first + (pair.fronts?.[front] ?? pair[which]) }
    })
  const better = side(scores, places('better', 0), ldAlpha)
  const worse = side(scores, places('worse', 1), ldAlpha)
  const context = { pairs: at.map(({ pair }) => pair), facts: denominators.facts }
  const weights = (by: ReadonlyMap<number, number>) =>
    fromNumbers(
      context.pairs.map((p) => p.weight * share(by, p.group)),
      dtype,
    )
  const each = ops.mul(term(better, worse, context), weights(denominators.pairs))
  const rank = ops.sum(weighting ? ops.mul(each, ownWeights(scores, at)) : each)
  const parts: Record<string, Tensor> = {}
  if (nllWeight !== 0) {
    const nll = ops.neg(ops.sum(ops.mul(better.whole, weights(denominators.nll ?? new Map()))))
    parts.nll_loss = ops.mulScalar(nll, nllWeight)
  }
  if (sftWeight !== 0) parts.sft_loss = sftTerm(scores, lists, denominators, { sftWeight })
  const total = Object.values(parts).reduce((sum, part) => ops.add(sum, part), rank)
  return { total, parts: Object.keys(parts).length > 0 ? { rank_loss: rank, ...parts } : {} }
}

/** How likely the policy is to give both answers of each pair, per token and beside its own choice, [P]. */
function ownWeights({ aligned }: Scores, at: readonly { pair: LossPair; first: number }[]): Tensor {
  if (!aligned) throw new Error('use_weighting needs the answers held against what the policy would say')
  const of = (which: 'better' | 'worse') =>
    ops.indexSelect(aligned, 0, i64(at.map(({ pair, first }) => first + pair[which])))
  return boundedExp(ops.add(of('better'), of('worse')))
}
