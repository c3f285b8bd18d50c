/** What one ranked list brings into the loss, from the log-probabilities of its answers. */
import { places } from './pairs.js'
import type { RankedList } from './ranked.js'

export interface LossRules {
  margin: number
  marginScale: 'constant' | 'rank'
  /** Of the whole SFT term: in legacy 0.05 (n - 1)^2. */
  sftWeight: number
  sftReduction: 'tokens' | 'lists'
}

export interface ExplainedLoss {
  /** Mean log-probability of each answer, nats per token. */
  means: number[]
  pairs: { better: number; worse: number; weight: number; margin: number; lead: number; hinge: number }[]
  /** Sums that a step divides: of weight * hinge, and of weight, over its pairs. */
  contrast: number
  contrastWeight: number
  /** Weighted negative log-likelihood of the best answer, and what a step divides its sum by. */
  sft: number
  sftDenominator: number
  /** As if this list were the whole step. */
  alone: { clha: number; sft: number; total: number }
}

/**
 * The list's share of the loss (arXiv 2403.16649, section 3).
 * @param sums   log-probability of each answer
 * @param counts its scored tokens
 */
export function explainLoss(
  { pairs, order, sft }: RankedList,
  { sums, counts }: { sums: readonly number[]; counts: readonly number[] },
  { margin, marginScale, sftWeight, sftReduction }: LossRules,
): ExplainedLoss {
  const means = sums.map((sum, i) => sum / Math.max(1, counts[i]))
  const place = places(order)
  const hinges = pairs
    .filter(({ weight }) => weight > 0)
    .map(({ better, worse, weight }) => {
      const distance = Math.abs(place[better] - place[worse])
      const m = marginScale === 'rank' ? margin * distance : margin
      const lead = means[better] - means[worse]
      return { better, worse, weight, margin: m, lead, hinge: Math.max(0, m - lead), distance }
    })
  const contrast = hinges.reduce((sum, p) => sum + p.weight * p.hinge, 0)
  const contrastWeight = hinges.reduce((sum, p) => sum + p.weight, 0)
  const nll = sft.weight === 0 ? 0 : -sft.weight * sums[sft.index]
  const denominator = sftReduction === 'tokens' ? sft.weight * counts[sft.index] : 1
  const clha = sftReduction === 'tokens' ? ratio(contrast, contrastWeight) : byDistance(hinges)
  const alone = sftWeight * ratio(nll, denominator)
  return {
    means,
    pairs: hinges.map(({ distance: _, ...pair }) => pair),
    contrast,
    contrastWeight,
    sft: nll,
    sftDenominator: denominator,
    alone: { clha, sft: alone, total: clha + alone },
  }
}

/** The paper's code divides within each distance, and adds the distances up. */
function byDistance(hinges: readonly { distance: number; weight: number; hinge: number }[]): number {
  const distances = [...new Set(hinges.map(({ distance }) => distance))]
  return distances.reduce((total, d) => {
    const own = hinges.filter(({ distance }) => distance === d)
    const weighted = own.reduce((sum, p) => sum + p.weight * p.hinge, 0)
    return total + weighted / own.reduce((sum, p) => sum + p.weight, 0)
  }, 0)
}

const ratio = (sum: number, by: number): number => (by > 0 ? sum / by : 0)
