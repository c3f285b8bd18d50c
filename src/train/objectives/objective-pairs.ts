/** Objectives on ranked lists: any pairwise loss, and the losses that take a list as a whole. */
import { type RunningMean, updatedMean } from '../../losses/bco.js'
import {
  type PairNumbers,
  type PairwiseOptions,
  pairwiseDenominators,
  pairwiseLoss,
} from '../../losses/pairwise.js'
import { type ProOptions, proDenominators, proLoss } from '../../losses/pro.js'
import { type RrhfOptions, rrhfDenominators, rrhfLoss } from '../../losses/rrhf.js'
import type { StepFacts } from '../../losses/types.js'
import { candidateLogProbs } from '../../models/decoder/score.js'
import type { StepBatch } from '../loop/items.js'
import { carriesSft, hasPairs, type Objective } from './objective.js'

export interface PairwiseObjective extends PairwiseOptions {
  name: string
  reward?: Objective['reward']
  /** What the term needs of the whole step: AOT's ranks, Dr. DPO's mean. */
  facts?(pairs: readonly PairNumbers[]): StepFacts
}

export function pairwiseObjective({ name, reward, facts, ...options }: PairwiseObjective): Objective {
  return {
    name,
    lastToken: false,
    forward: candidateLogProbs,
    denominators: (plan) => pairwiseDenominators(plan.lists, plan.counts),
    counts: (plan) => hasPairs(plan) || carriesSft(plan, options.sftWeight),
    loss: (scores, lists, denominators) => pairwiseLoss(scores, lists, options, denominators),
    reward,
    preview: facts && { of: 'answers', take: (plan, sums) => facts(pairNumbers(plan, sums)) },
  }
}

/** Scores of the pairs of a step that count. */
export function pairNumbers(plan: StepBatch, sums: readonly (readonly number[])[]): PairNumbers[] {
  return plan.lists.flatMap(({ pairs }, i) =>
    pairs
      .filter(({ weight }) => weight !== 0)
      .map((pair) => ({
        pair,
        better: sums[i][pair.better],
        worse: sums[i][pair.worse],
        betterReference: plan.reference[i]?.[pair.better] ?? 0,
        worseReference: plan.reference[i]?.[pair.worse] ?? 0,
      })),
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

/** With the running mean of both sides' rewards beta D. */
export const withPairMean = (objective: Objective, beta: number): Objective =>
  withRunningMean(objective, (plan, sums) =>
    pairNumbers(plan, sums).flatMap((p) => [
      beta * (p.better - p.betterReference),
      beta * (p.worse - p.worseReference),
    ]),
  )

/** A loss on whole lists: pairs of any weight and the SFT term. */
const listwiseObjective = (
  name: string,
  sftWeight: number,
  { denominators, loss }: Pick<Objective, 'denominators' | 'loss'>,
): Objective => ({
  name,
  lastToken: false,
  forward: candidateLogProbs,
  denominators,
  counts: (plan) => hasPairs(plan) || carriesSft(plan, sftWeight),
  loss,
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
