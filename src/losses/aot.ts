/**
 * AOT: stochastic dominance instead of dominance pair by pair, arXiv 2406.05882. Sorted over the whole optimizer step,
 * `aot` compares the policy's gaps with the reference's gaps of equal rank, `aot_unpaired` the better answers' log-ratios
 * with the worse answers' of equal rank. Checked against TRL's DPOTrainer.
 * TRL 1.16.0, `DPOTrainer._compute_loss`; recorded in test/fixtures/losses/pairwise.json.
 */
import { ops, type Tensor } from '../tensor/index.js'
import { fromNumbers } from './from-numbers.js'
import { logistic } from './math.js'
import { type PairNumbers, type PairTerm, partnersOf } from './pairwise.js'
import type { LossPair, Partner, StepFacts } from './types.js'

export interface AotOptions {
  beta: number
  labelSmoothing: number
}

/** Places of the values by rising value; ties in the order given. */
function ascending(values: readonly number[]): number[] {
  return values.map((_, i) => i).sort((a, b) => values[a] - values[b] || a - b)
}

/** What each pair's gap is compared with: the reference gap of equal rank. */
export function aotFacts(pairs: readonly PairNumbers[]): StepFacts {
  const reference = pairs.map((p) => p.betterReference - p.worseReference).sort((a, b) => a - b)
  const partners = new Map<LossPair, Partner>()
  ascending(pairs.map((p) => p.better - p.worse)).forEach((k, rank) => {
    partners.set(pairs[k].pair, { ofBetter: reference[rank] })
  })
  return { partners, metrics: {} }
}

/** What each side of a pair is compared with. A comparison has the weight of its better answer's pair. */
export function aotUnpairedFacts(pairs: readonly PairNumbers[]): StepFacts {
  const better = pairs.map((p) => p.better - p.betterReference)
  const worse = pairs.map((p) => p.worse - p.worseReference)
  const betterOrder = ascending(better)
  const worseOrder = ascending(worse)
  const found = pairs.map((): Partner => ({ ofBetter: 0 }))
  betterOrder.forEach((b, rank) => {
    const w = worseOrder[rank]
    found[b].ofBetter = worse[w]
    found[w].ofWorse = better[b]
    found[w].weight = pairs[b].pair.weight
  })
  return { partners: new Map(pairs.map((p, k) => [p.pair, found[k]])), metrics: {} }
}

export const aotTerm =
  ({ beta, labelSmoothing }: AotOptions): PairTerm =>
  (better, worse, context) => {
    const matched = partnersOf(context).map((p) => p.ofBetter)
    const gap = ops.sub(better.sum, worse.sum)
    return logistic(ops.mulScalar(ops.sub(gap, fromNumbers(matched, gap.dtype)), beta), labelSmoothing)
  }

export const aotUnpairedTerm =
  ({ beta, labelSmoothing }: AotOptions): PairTerm =>
  (better, worse, context) => {
    const partners = partnersOf(context)
    const { dtype } = better.sum
    const compare = (difference: Tensor) => logistic(ops.mulScalar(difference, beta), labelSmoothing)
    const numbers = (of: (p: Partner, i: number) => number) => fromNumbers(partners.map(of), dtype)
    const up = compare(
      ops.sub(
        better.ratio(),
        numbers((p) => p.ofBetter),
      ),
    )
    // The partner may stand in another micro-batch: the value is counted with the better answer, the worse one adds only
    // its gradient.
    const down = compare(
      ops.sub(
        numbers((p) => p.ofWorse as number),
        worse.ratio(),
      ),
    )
    const pushed = ops.mul(
      down,
      numbers((p, i) => (p.weight as number) / context.pairs[i].weight),
    )
    return ops.add(up, ops.sub(pushed, ops.detach(pushed)))
  }
