/** SFT: mean negative log-likelihood per token of the answer that each list names. The SFT term of CLHA, alone and ungated. */
import { CLHA_DEFAULTS, clhaDenominators, clhaLoss } from './clha.js'
import type { Denominators, LossList, LossParts, Scores } from './types.js'

const ungated = (lists: readonly LossList[]): LossList[] =>
  lists.map(({ sft }) => ({ pairs: [], sft: { index: sft.index, weight: 1, group: 0 } }))

export function sftDenominators(
  lists: readonly LossList[],
  counts: readonly (readonly number[])[],
): Denominators {
  return clhaDenominators(ungated(lists), counts, CLHA_DEFAULTS)
}

/**
 * @returns total, a scalar in nats per token, and no parts: there is one term
 * @example
 * ```ts
 * const scores = { sum: f64([-6, -5]), counts: [3, 3], offsets: [0, 2] }
 * const lists = [{ pairs: [{ better: 0, worse: 1, distance: 1, weight: 1, group: 0 }], sft: { index: 0, weight: 1, group: 0 } }]
 * sftLoss(scores, lists, sftDenominators(lists, [[3, 3]])).total.item() // 2
 * ```
 */
export function sftLoss(scores: Scores, lists: readonly LossList[], denominators: Denominators): LossParts {
  const { total } = clhaLoss(scores, ungated(lists), CLHA_DEFAULTS, denominators)
  return { total, parts: {} }
}
