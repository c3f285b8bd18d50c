/** What a method asks of the trainer: scores from the model, a loss from the scores. The trainer knows no loss by name. */
import type { PackedBatch } from '../../data/encode/pack.js'
import { bradleyTerryDenominators, bradleyTerryLoss } from '../../losses/bradley-terry.js'
import { type ClhaOptions, clhaDenominators, clhaLoss, marginAt } from '../../losses/clha.js'
import { sftDenominators, sftLoss } from '../../losses/sft.js'
import type { Denominators, LossList, LossParts, Scores, StepFacts } from '../../losses/types.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { candidateLogProbs, candidateRewards } from '../../models/decoder/score.js'
import type { Tensor } from '../../tensor/index.js'
import type { StepBatch } from '../loop/items.js'

export interface Objective {
  name: string
  /** The reward is read at the last token; a language model predicts nothing from it. */
  lastToken: boolean
  /** Scores of the batch's candidates, [C], where its tokens were the model's first choice, [R] bool, and what `use_weighting` takes, [C]. */
  forward(model: Decoder, batch: PackedBatch): { sum: Tensor; hits?: Tensor; aligned?: Tensor }
  denominators(batch: StepBatch): Denominators
  /** Whether any term of the loss counts something; a step in which none does is left out. */
  counts(batch: StepBatch): boolean
  loss(scores: Scores, lists: readonly LossList[], denominators: Denominators, groups: number): LossParts
  /** Implicit reward of an answer, for the log; its mean log-probability where left out. */
  reward?(sum: number, count: number, reference: number): number
  /** Margin of a hinge by rank distance, nats per token, for the log. */
  margin?(distance: number): number
  /** Lists are grouped, and end, as in the paper's code. */
  legacy?: boolean
  /** No gate weighs its likelihood term. */
  ungated?: boolean
  preview?: Preview
  /** What the loss remembers between steps; part of every checkpoint. */
  state?(): Record<string, number>
  restore?(state: Record<string, number>): void
}

/** What a loss takes, without gradient, from scores of the whole step before the first gradient of the step. */
export interface Preview {
  /** The step's own answers, or their mismatched ones. */
  of: 'answers' | 'mismatched'
  /** @param sums by item; `training` is false on held-out data, which leaves no trace in the state */
  take(batch: StepBatch, sums: readonly (readonly number[])[], training: boolean): StepFacts
}

export const hasPairs = ({ lists }: StepBatch): boolean =>
  lists.some(({ pairs }) => pairs.some((p) => p.weight !== 0))

/** Whether an answer that SFT keeps likely has weight and tokens. */
export const scoredTokens = ({ lists, counts }: StepBatch, weight: (list: LossList) => number): boolean =>
  lists.some((list, i) => weight(list) !== 0 && counts[i][list.sft.index] > 0)

/** Whether an SFT term of this weight counts something. */
export const carriesSft = (batch: StepBatch, sftWeight: number): boolean =>
  sftWeight > 0 && scoredTokens(batch, ({ sft }) => sft.weight)

export interface ClhaObjective extends Omit<ClhaOptions, 'groups'> {
  legacy?: boolean
}

export function clhaObjective({ legacy, ...options }: ClhaObjective): Objective {
  return {
    name: 'clha',
    lastToken: false,
    forward: candidateLogProbs,
    denominators: (batch) =>
      clhaDenominators(batch.lists, batch.counts, { ...options, groups: batch.groups }),
    counts: (batch) => hasPairs(batch) || carriesSft(batch, options.sftWeight),
    loss: (scores, lists, denominators, groups) =>
      clhaLoss(scores, lists, { ...options, groups }, denominators),
    margin: (distance) => marginAt(options, distance),
    legacy,
  }
}

export function sftObjective(): Objective {
  return {
    name: 'sft',
    lastToken: false,
    forward: candidateLogProbs,
    denominators: (batch) => sftDenominators(batch.lists, batch.counts),
    counts: (batch) => scoredTokens(batch, () => 1),
    loss: sftLoss,
    ungated: true,
  }
}

export function rewardObjective(centerRewardsCoefficient: number): Objective {
  return {
    name: 'reward',
    lastToken: true,
    forward: (model, batch) => ({ sum: candidateRewards(model, batch) }),
    denominators: (batch) => bradleyTerryDenominators(batch.lists),
    counts: hasPairs,
    loss: (scores, lists, denominators) =>
      bradleyTerryLoss(scores, lists, { centerRewardsCoefficient }, denominators),
  }
}
