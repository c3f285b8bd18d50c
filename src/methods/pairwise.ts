/** What the methods on pairs share: one objective around a loss's own term. */
import type { PairLoss, PairTerm } from '../losses/pairwise.js'
import type { Objective } from '../train/objectives/objective.js'
import type { PairwiseObjective } from '../train/objectives/objective-pairs.js'
import type { LossVariant } from './method.js'

/** One `loss_type` of a method on pairs: its settings and its term, whose file is loaded only now. */
export interface PairVariant<O> extends LossVariant {
  term(options: O): Promise<PairTerm | PairLoss>
}

/** Implicit rewards of an answer as TRL logs them: of the sum, of the mean, of the log-ratio. */
export const ofSum = (beta: number) => (sum: number) => beta * sum
export const ofMean = (beta: number) => (sum: number, count: number) => (beta * sum) / Math.max(1, count)
export const ofRatio = (beta: number) => (sum: number, _: number, reference: number) =>
  beta * (sum - reference)

/**
 * The objective of a method on pairs.
 * @param term   loss of a pair; with facts, what it needs of the whole step
 * @param reward implicit reward of an answer, for the log
 * @param more   `nllWeight`: of the token-mean likelihood of the better answers
 */
export async function pairwise(
  name: string,
  { sftWeight }: { sftWeight: number },
  term: PairTerm | PairLoss,
  reward: PairwiseObjective['reward'],
  more: Partial<Pick<PairwiseObjective, 'nllWeight' | 'ldAlpha' | 'weighting'>> = {},
): Promise<Objective> {
  const { pairwiseObjective } = await import('../train/objectives/objective-pairs.js')
  return pairwiseObjective({ name, ...lossOf(term), reward, nllWeight: 0, ...more, sftWeight })
}

export const lossOf = (term: PairTerm | PairLoss): PairLoss => (typeof term === 'function' ? { term } : term)
