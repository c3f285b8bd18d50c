/** Objectives on ranked lists: any pairwise loss, and the losses that take a list as a whole. */
import { runningDelta } from '../../losses/bco.js'
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
    denominators: (batch) => pairwiseDenominators(batch.lists, batch.counts),
    counts: (batch) => hasPairs(batch) || carriesSft(batch, options.sftWeight),
    loss: (scores, lists, denominators) => pairwiseLoss(scores, lists, options, denominators),
    reward,
    preview: facts && {
      of: 'answers',
      take: (batch, sums, training) => facts(pairNumbers(batch, sums, options.ldAlpha), training),
    },
    state,
    restore,
  }
}

/** Scores of the pairs of a step that count, as the loss takes them. */
function pairNumbers(batch: StepBatch, sums: readonly (readonly number[])[], ldAlpha = 1): PairNumbers[] {
  const scored = (row: readonly number[] | undefined, pair: LossPair) => {
    const of = (index: number, front = index) => frontSum(row?.[index] ?? 0, row?.[front] ?? 0, ldAlpha)
    return [of(pair.better, pair.fronts?.[0]), of(pair.worse, pair.fronts?.[1])]
  }
  return batch.lists.flatMap(({ pairs }, i) =>
    pairs
      .filter(({ weight }) => weight !== 0)
      .map((pair) => {
        const [better, worse] = scored(sums[i], pair)
        const [betterReference, worseReference] = scored(batch.reference[i], pair)
        return { pair, better, worse, betterReference, worseReference }
      }),
  )
}

/** An objective whose loss subtracts the running mean of the rewards seen in training; BCO's delta. */
export function withRunningMean(
  objective: Objective,
  rewards: (batch: StepBatch, sums: readonly (readonly number[])[]) => number[],
): Objective {
  const { facts, ...memory } = runningDelta()
  return {
    ...objective,
    preview: { of: 'answers', take: (batch, sums, training) => facts(rewards(batch, sums), training) },
    ...memory,
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
  counts: (batch) => hasPairs(batch) || carriesSft(batch, sftWeight),
  ...own,
})

export const proObjective = (options: ProOptions): Objective =>
  listwiseObjective('pro', options.sftWeight, {
    denominators: (batch) => proDenominators(batch.lists, batch.counts),
    loss: (scores, lists, denominators) => proLoss(scores, lists, options, denominators),
  })

export const rrhfObjective = (options: RrhfOptions): Objective =>
  listwiseObjective('rrhf', options.sftWeight, {
    denominators: (batch) => rrhfDenominators(batch.lists, batch.counts),
    loss: (scores, lists, denominators) => rrhfLoss(scores, lists, options, denominators),
  })

export const infoNcaObjective = (options: InfoNcaOptions): Objective =>
  listwiseObjective('infonca', options.sftWeight, {
    denominators: (batch) => infoNcaDenominators(batch.lists, batch.counts),
    loss: (scores, lists, denominators) => infoNcaLoss(scores, lists, options, denominators),
    reward: (sum, _, reference) => options.beta * (sum - reference),
  })
