/** Objectives on ranked lists: any pairwise loss, and the losses that take a list as a whole. */
import { type RunningMean, updatedMean } from '../../losses/bco.js'
import { type InfoNcaOptions, infoNcaDenominators, infoNcaLoss } from '../../losses/infonca.js'
import {
  frontSum,
  type PairLoss,
  type PairNumbers,
  type PairwiseOptions,
  pairwiseDenominators,
  pairwiseLoss,
} from '../../losses/pairwise.js'
import { type ProOptions, proDenominators, proLoss } from '../../losses/pro.js'
import { type RrhfOptions, rrhfDenominators, rrhfLoss } from '../../losses/rrhf.js'
import type { LossPair } from '../../losses/types.js'
import { alignedLogProbs, candidateLogProbs } from '../../models/decoder/score.js'
import type { StepBatch } from '../loop/items.js'
import { carriesSft, hasPairs, type Objective } from './objective.js'

export interface PairwiseObjective extends PairwiseOptions, PairLoss {
  name: string
  reward?: Objective['reward']
}

export function pairwiseObjective(objective: PairwiseObjective): Objective {
  const { name, reward, facts, state, restore, ...options } = objective
  return {
    name,
    lastToken: false,
    forward: options.weighting ? alignedLogProbs : candidateLogProbs,
    denominators: (plan) => pairwiseDenominators(plan.lists, plan.counts),
    counts: (plan) => hasPairs(plan) || carriesSft(plan, options.sftWeight),
    loss: (scores, lists, denominators) => pairwiseLoss(scores, lists, options, denominators),
    reward,
    preview: facts && {
      of: 'answers',
      take: (plan, sums, training) => facts(pairNumbers(plan, sums, options.ldAlpha), training),
    },
    state,
    restore,
  }
}

/** Scores of the pairs of a step that count, as the loss takes them. */
function pairNumbers(plan: StepBatch, sums: readonly (readonly number[])[], ldAlpha = 1): PairNumbers[] {
  const scored = (row: readonly number[] | undefined, pair: LossPair) => {
    const of = (index: number, front = index) => frontSum(row?.[index] ?? 0, row?.[front] ?? 0, ldAlpha)
    return [of(pair.better, pair.fronts?.[0]), of(pair.worse, pair.fronts?.[1])]
  }
  return plan.lists.flatMap(({ pairs }, i) =>
    pairs
      .filter(({ weight }) => weight !== 0)
      .map((pair) => {
        const [better, worse] = scored(sums[i], pair)
        const [betterReference, worseReference] = scored(plan.reference[i], pair)
        return { pair, better, worse, betterReference, worseReference }
      }),
  )
}

/** An objective whose loss subtracts the running mean of the rewards seen in training; BCO's delta. */
export function withRunningMean(
  objective: Objective,
  rewards: (plan: StepBatch, sums: readonly (readonly number[])[]) => number[],
): Objective {
  let running: RunningMean = { mean: 0, count: 0 }
  return {
    ...objective,
    preview: {
      of: 'answers',
      take: (plan, sums, training) => {
        if (training) running = updatedMean(running, rewards(plan, sums))
        return { shift: running.mean, metrics: { delta: running.mean } }
      },
    },
    state: () => ({ ...running }),
    restore: ({ mean, count }) => {
      running = { mean, count }
    },
  }
}

/** A loss on whole lists: pairs of any weight and the SFT term. */
const listwiseObjective = (
  name: string,
  sftWeight: number,
  own: Pick<Objective, 'denominators' | 'loss' | 'reward'>,
): Objective => ({
  name,
  lastToken: false,
  forward: candidateLogProbs,
  counts: (plan) => hasPairs(plan) || carriesSft(plan, sftWeight),
  ...own,
})

export const proObjective = (options: ProOptions): Objective =>
  listwiseObjective('pro', options.sftWeight, {
    denominators: (plan) => proDenominators(plan.lists, plan.counts),
    loss: (scores, lists, denominators) => proLoss(scores, lists, options, denominators),
  })

export const rrhfObjective = (options: RrhfOptions): Objective =>
  listwiseObjective('rrhf', options.sftWeight, {
    denominators: (plan) => rrhfDenominators(plan.lists, plan.counts),
    loss: (scores, lists, denominators) => rrhfLoss(scores, lists, options, denominators),
  })

export const infoNcaObjective = (options: InfoNcaOptions): Objective =>
  listwiseObjective('infonca', options.sftWeight, {
    denominators: (plan) => infoNcaDenominators(plan.lists, plan.counts),
    loss: (scores, lists, denominators) => infoNcaLoss(scores, lists, options, denominators),
    reward: (sum, _, reference) => options.beta * (sum - reference),
  })
