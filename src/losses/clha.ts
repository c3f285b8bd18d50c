/**
 * CLHA: pairwise contrast of length-normalised log-likelihoods, and an adaptive SFT term. arXiv 2403.16649, section 3.
 *
 * With S the summed log-probability of an answer, c its scored tokens and s = S / c:
 *
 *   L_clha = sum over pairs of w * max(0, m - (s_better - s_worse)) / sum of w
 *   L_sft  = sft_weight * sum over lists of a * (-S_k) / (sum of a * c_k)
 *
 * w, the order and the gate a come with the lists: the modes `default` and `legacy` differ only in how those, the groups
 * and the denominators were made. Checked against test/fixtures/clha (recorded from an independent implementation).
 */
import { i64, ops, type Tensor } from '../tensor/index.js'
import { countsOf, type SftReduction, share, sumDenominators } from './denominators.js'
import { fromNumbers } from './from-numbers.js'
import { meanScores } from './scores.js'
import { sftTerm } from './sft-term.js'
import type { Denominators, LossList, LossParts, Scores } from './types.js'

export interface ClhaOptions {
  /** m, in nats per token. */
  margin: number
  /** `rank` multiplies m by the pair's rank distance, as the paper's code does. */
  marginScale: 'constant' | 'rank'
  sftWeight: number
  /** `tokens`: mean over weighted tokens. `lists`: token sums, mean over lists, gated ones included (the paper's code). */
  sftReduction: SftReduction
  /** Number of groups that the step averages over: 1, but for `legacy`. */
  groups: number
}

/** The margin of a pair, nats per token, by its rank distance. */
export const marginAt = (
  { margin, marginScale }: Pick<ClhaOptions, 'margin' | 'marginScale'>,
  distance: number,
): number => (marginScale === 'rank' ? margin * distance : margin)

export const CLHA_DEFAULTS: ClhaOptions = {
  margin: 1,
  marginScale: 'constant',
  sftWeight: 1,
  sftReduction: 'tokens',
  groups: 1,
}

/** Denominators of a whole optimizer step; pass them to each of its micro-batches. */
export function clhaDenominators(
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
  options: ClhaOptions,
): Denominators {
  return sumDenominators(lists, counts, options.sftReduction)
}

/**
 * @param scores summed log-probabilities [C] and token counts of the candidates of `lists`
 * @param denominators of the whole step; those of `lists` alone when left out
 * @returns parts `rank_loss` and `sft_loss`, scalars
 * @example
 * ```ts
 * // The better answer is behind by 1/3 nat per token: the hinge is 1 + 1/3. Its likelihood: 6 nats over 3 tokens.
 * const scores = { sum: f64([-6, -5]), counts: [3, 3], offsets: [0, 2] }
 * const lists = [{ pairs: [{ better: 0, worse: 1, distance: 1, weight: 1, group: 0 }], sft: { index: 0, weight: 1, group: 0 } }]
 * clhaLoss(scores, lists).total.item().toFixed(4) // '3.3333'
 * ```
 */
export function clhaLoss(
  scores: Scores,
  lists: readonly LossList[],
  options: ClhaOptions = CLHA_DEFAULTS,
  denominators: Denominators = clhaDenominators(lists, countsOf(scores), options),
): LossParts {
  const rank = contrast(scores, lists, options, denominators)
  const sft = sftTerm(scores, lists, denominators, options)
  return { total: ops.add(rank, sft), parts: { rank_loss: rank, sft_loss: sft } }
}

function contrast(
  scores: Scores,
  lists: readonly LossList[],
  options: ClhaOptions,
  denominators: Denominators,
): Tensor {
  const better: number[] = []
  const worse: number[] = []
  const margins: number[] = []
  const coefficients: number[] = []
  lists.forEach((list, i) => {
    for (const pair of list.pairs) {
      if (pair.weight === 0) continue
      better.push(scores.offsets[i] + pair.better)
      worse.push(scores.offsets[i] + pair.worse)
      margins.push(marginAt(options, pair.distance))
      coefficients.push((pair.weight * share(denominators.pairs, pair.group)) / options.groups)
    }
  })
  const mean = meanScores(scores) // [C]
  const gap = ops.sub(ops.indexSelect(mean, 0, i64(better)), ops.indexSelect(mean, 0, i64(worse))) // [P]
  // clamp_min, not relu: at exactly the margin the gradient passes, as torch's margin_ranking_loss has it
  const hinge = ops.clampMin(ops.sub(fromNumbers(margins, mean.dtype), gap), 0)
  return ops.sum(ops.mul(hinge, fromNumbers(coefficients, mean.dtype)))
}
