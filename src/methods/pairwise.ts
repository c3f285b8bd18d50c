/** What the methods on pairs share: one objective around a loss's own term. */
import type { PairTerm } from '../losses/pairwise.js'
import type { Objective } from '../train/objectives/objective.js'
import type { PairwiseObjective } from '../train/objectives/objective-pairs.js'
import type { LossVariant } from './method.js'

export type Term = Pick<PairwiseObjective, 'term' | 'facts'>

/** One `loss_type` of a method on pairs: its settings and its term, whose file is loaded only now. */
export interface PairVariant<O> extends LossVariant {
  term(options: O): Promise<PairTerm | Term>
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
 * @param nllWeight of the token-mean likelihood of the better answers
 */
export async function pairwise(
  name: string,
  { sftWeight }: { sftWeight: number },
  term: PairTerm | Term,
  reward: PairwiseObjective['reward'],
  nllWeight = 0,
): Promise<Objective> {
  const { pairwiseObjective } = await import('../train/objectives/objective-pairs.js')
  const own = typeof term === 'function' ? { term } : term
  return pairwiseObjective({ name, ...own, reward, nllWeight, sftWeight })
}
