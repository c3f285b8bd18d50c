/** From evaluated systems to the rows of a report. */

import type { GroupEval, SystemEval } from '../evaluate/system-summary.js'
import type { EvaluationReport, EvaluationRow, ScorerRow } from './types.js'

export interface EvaluatedSystem {
  system: string
  /** E.g. 'greedy' or 'sampled'. */
  decoding?: string
  evaluation: SystemEval
}

/** Which scorer of `SystemEval.rewards` stands in which column. */
export interface ScorerNames {
  trueReward?: string
  reward?: string
  secondReward?: string
}

/**
 * The evaluation part of a report. Wins against the baseline are those of the true reward where there is one, else of
 * the second scorer, else of the training scorer. Sigmoid rewards are the training scorer's. Lengths are in words.
 */
export function evaluationReport(
  baseline: string,
  systems: readonly EvaluatedSystem[],
  scorers: ScorerNames,
): EvaluationReport {
  const rows = systems.flatMap(({ system, decoding, evaluation }) =>
    [['total', evaluation.total] as const, ...Object.entries(evaluation.sources)].map(([source, group]) => ({
      system,
      source,
      decoding,
      ...measured(group, scorers, system !== baseline),
    })),
  )
  const agreement = systems.flatMap(({ system, decoding, evaluation }) =>
    evaluation.scorers.map(({ a, b, agreement: { count, pearson, spearman } }) => ({
      answers: [system, decoding].filter(Boolean).join(', '),
      a,
      b,
      count,
      pearson,
      spearman,
    })),
  )
  const said = systems.flatMap((system) => scorerRows(system, system.system !== baseline))
  return {
    baseline,
    lengthUnit: 'words',
    rows,
    ...(said.length > 0 && { scorers: said }),
    ...(agreement.length > 0 && { agreement }),
  }
}

function scorerRows({ system, decoding, evaluation }: EvaluatedSystem, versus: boolean): ScorerRow[] {
  const { total, sources } = evaluation
  return Object.keys(total.rewards).flatMap((scorer) =>
    [['total', total] as const, ...Object.entries(sources)].map(([source, group]): ScorerRow => {
      const { reward, sigmoid, versusBaseline, lengthControlled, lengthCorrelation } = group.rewards[scorer]
      const duel = versus ? versusBaseline : undefined
      return {
        scorer,
        system,
        source,
        ...(decoding !== undefined && { decoding }),
        prompts: group.count,
        reward,
        sigmoid,
        lengthCorrelation,
        ...(duel && {
          against: { wins: duel.win, ties: duel.tie, losses: duel.loss, rate: duel.winRate },
        }),
        ...(versus && lengthControlled && { lengthControlled }),
      }
    }),
  )
}

function measured(
  group: GroupEval,
  scorers: ScorerNames,
  versus: boolean,
): Omit<EvaluationRow, 'system' | 'source' | 'decoding'> {
  const of = (name: string | undefined) => (name === undefined ? undefined : group.rewards[name])
  const judge = of(scorers.trueReward) ?? of(scorers.secondReward) ?? of(scorers.reward)
  const duel = versus ? judge?.versusBaseline : undefined
  return {
    prompts: group.count,
    trueReward: of(scorers.trueReward)?.reward,
    reward: of(scorers.reward)?.reward,
    secondReward: of(scorers.secondReward)?.reward,
    sigmoidReward: of(scorers.reward)?.sigmoid,
    againstStart: duel && { wins: duel.win, ties: duel.tie, losses: duel.loss, rate: duel.winRate },
    length: { value: group.text.words },
    ended: group.text.truncated === undefined ? undefined : { value: 1 - group.text.truncated },
    bleu: group.bleu && { value: group.bleu.charLegacy },
    distinct: { value: group.text.distinct2 },
    repetition: { value: group.text.repetition },
  }
}
