/**
 * RPO-EM (later RE-PO), arXiv 2509.24159: expectation and maximisation over "is this label right". With x = beta (D_w - D_l)
 * and the annotators' reliability h, before each gradient
 *
 *   w = h sg(x) / (h sg(x) + (1 - h) sg(-x)),   h <- (1 - a) h + a mean w   over the pairs of the optimizer step,
 *
 * and the loss is -w ln sg(x) - (1 - w) ln sg(-x), w without gradient. One reliability for all annotators; it is part of every
 * checkpoint. Checked against an independent formula in f64.
 */
import { logit, sigmoid } from '../statistics/statistics.js'
import { ops } from '../tensor/index.js'
import { rewardMargin } from './dpo.js'
import { fromNumbers } from './from-numbers.js'
import { logistic, oneMinus } from './math.js'
import { type PairLoss, partnersOf } from './pairwise.js'
import type { LossPair, Partner } from './types.js'

export interface RpoEmOptions {
  beta: number
  /** Share of right labels that is believed before the first step, above 1/2 and below 1. */
  reliability: number
  /** a: how fast the reliability follows. */
  rate: number
}

export function rpoEmLoss({ beta, reliability: first, rate }: RpoEmOptions): PairLoss {
  let reliability = first
  return {
    facts(pairs, training) {
      const prior = logit(reliability)
      const right = new Map<LossPair, Partner>()
      let [sum, weights] = [0, 0]
      for (const { pair, better, worse, betterReference, worseReference } of pairs) {
        const belief = sigmoid(beta * (better - betterReference - (worse - worseReference)) + prior)
        right.set(pair, { ofBetter: belief })
        sum += pair.weight * belief
        weights += pair.weight
      }
      if (training && weights > 0) reliability = (1 - rate) * reliability + (rate * sum) / weights
      return { partners: right, metrics: { reliability } }
    },
    term(better, worse, context) {
      const margin = rewardMargin(better, worse, beta)
      const belief = fromNumbers(
        partnersOf(context).map((p) => p.ofBetter),
        margin.dtype,
      )
      return ops.add(ops.mul(belief, logistic(margin)), ops.mul(oneMinus(belief), logistic(ops.neg(margin))))
    },
    state: () => ({ reliability }),
    restore(state) {
      reliability = state.reliability
    },
  }
}
