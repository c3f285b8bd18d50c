/** The config's method as an objective for the trainer, and what that method asks of its data. */
import { bcoTerm } from '../losses/bco.js'
import { ktoTerm } from '../losses/kto.js'
import type { Session } from '../session/session.js'
import { clhaObjective, type Objective, sftObjective } from '../train/objectives/objective.js'
import {
  pairNumbers,
  pairwiseObjective,
  proObjective,
  rrhfObjective,
  withRunningMean,
} from '../train/objectives/objective-pairs.js'
import { rowRewards, rowsObjective } from '../train/objectives/objective-rows.js'
import { weightedSftObjective } from '../train/objectives/objective-sequences.js'
import { pairwiseMethod } from './method-terms.js'

type Options = Session['options']

/** What a method learns from: one answer, pairs of answers, answers judged by themselves, or sequences with feedback. */
export type Material = 'answer' | 'pairs' | 'rows' | 'sequences'

export function materialOf({ method }: Options): Material {
  if (method === 'sft' || method === 'bon') return 'answer'
  if (method === 'kto' || method === 'bco') return 'rows'
  return method === 'coh' ? 'sequences' : 'pairs'
}

/** Whether the method compares with a reference model. */
export const usesReference = ({ method }: Options): boolean =>
  ['dpo', 'cal_dpo', 'kto', 'bco'].includes(method)

/** Whether the loss needs log-ratios of answers to other prompts. */
export const usesMismatched = ({ method, lossType }: Options): boolean =>
  method === 'kto' && lossType === 'kto'

/** Whether ranking asks for rewards: the labels alone order the answers otherwise. */
export function needsRewards(options: Options): boolean {
  const { method, sftTarget, labelSource, sftWeight, sftGate } = options
  if (method === 'sft' && sftTarget !== 'best') return false
  return labelSource !== 'human' || (sftWeight > 0 && sftGate !== 'off')
}

/** @param n the most answers of a list */
export function objectiveOf({ options }: Session, n: number): Objective {
  const pairwise = pairwiseMethod(options)
  if (pairwise) {
    const objective = pairwiseObjective(pairwise)
    return options.lossType === 'bco_pair' ? withPairMean(objective, options.beta) : objective
  }
  const { method, sftWeight } = options
  if (method === 'pro') return proObjective({ sftWeight, epsilon: 0 })
  if (method === 'rrhf')
    return rrhfObjective({ rankWeight: options.rrhfWeight, sftWeight, nll: options.rrhfNll })
  if (method === 'kto' || method === 'bco') return rowsOf(options)
  if (method === 'coh') return weightedSftObjective('coh')
  return method === 'clha' ? clhaOf(options, n) : sftObjective()
}

function clhaOf(options: Options, n: number): Objective {
  const legacy = options.mode === 'legacy'
  return clhaObjective({
    margin: options.margin,
    marginScale: options.marginScale,
    // The paper's code scales the SFT weight with the number of candidates (its 0.05 is for n = 2).
    sftWeight: legacy ? options.sftWeight * (n - 1) ** 2 : options.sftWeight,
    sftReduction: legacy ? 'lists' : 'tokens',
  })
}

function rowsOf(options: Options): Objective {
  const { method: name, beta, desirableWeight, undesirableWeight, sftWeight } = options
  const term = name === 'kto' ? ktoTerm({ beta }) : bcoTerm({ beta })
  const mismatched = usesMismatched(options)
  const common = { name, beta, desirableWeight, undesirableWeight, sftWeight }
  const objective = rowsObjective({ ...common, term, mismatched })
  return name === 'bco' ? withRunningMean(objective, rowRewards(beta)) : objective
}

const withPairMean = (objective: Objective, beta: number): Objective =>
  withRunningMean(objective, (plan, sums) =>
    pairNumbers(plan, sums).flatMap((p) => [
      beta * (p.better - p.betterReference),
      beta * (p.worse - p.worseReference),
    ]),
  )

/** Names on the progress line. */
export function shownOf(options: Options): Record<string, string> {
  const material = materialOf(options)
  if (material === 'answer' || material === 'sequences') return { accuracy: 'mean_token_accuracy' }
  if (material === 'rows') return { chosen: 'rewards/chosen', rejected: 'rewards/rejected' }
  const ranking = { acc: 'rewards/accuracies', margin: 'rewards/margins' }
  return options.sftWeight > 0 ? { rank: 'rank_loss', sft: 'sft_loss', ...ranking } : ranking
}
