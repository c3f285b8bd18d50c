/** SFT in which each sequence has a weight: chain of hindsight. */
import { sumDenominators } from '../../losses/denominators.js'
import { sftTerm } from '../../losses/sft-term.js'
import { candidateLogProbs } from '../../models/decoder/score.js'
import { type Objective, scoredTokens } from './objective.js'

/** Mean negative log-likelihood per token, every sequence with its weight. */
export function weightedSftObjective(name: string): Objective {
  return {
    name,
    lastToken: false,
    forward: candidateLogProbs,
    denominators: (batch) => sumDenominators(batch.lists, batch.counts, 'tokens'),
    counts: (batch) => scoredTokens(batch, ({ sft }) => sft.weight),
    loss: (scores, lists, denominators) => ({
      total: sftTerm(scores, lists, denominators, { sftWeight: 1 }),
      parts: {},
    }),
  }
}
