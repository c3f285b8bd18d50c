/** Objectives on answers judged by themselves: KTO, BCO. */
import { ktoFacts } from '../../losses/kto.js'
import { type UnpairedOptions, unpairedDenominators, unpairedLoss } from '../../losses/unpaired.js'
import { candidateLogProbs } from '../../models/decoder/score.js'
import type { StepBatch } from '../loop/items.js'
import { carriesSft, type Objective } from './objective.js'

export interface RowsObjective extends UnpairedOptions {
  name: string
  beta: number
  /** Whether the loss subtracts the mean log-ratio of mismatched answers. */
  mismatched: boolean
}

/** beta D of each answer that counts, as often as it counts. */
export const rowRewards =
  (beta: number) =>
  (batch: StepBatch, sums: readonly (readonly number[])[]): number[] =>
    batch.lists.flatMap(({ rows = [] }, i) =>
      rows
        .filter(({ weight }) => weight !== 0)
        .map(({ index }) => beta * (sums[i][index] - (batch.reference[i]?.[index] ?? 0))),
    )

export function rowsObjective({ name, beta, mismatched, ...options }: RowsObjective): Objective {
  return {
    name,
    lastToken: false,
    forward: candidateLogProbs,
    denominators: (batch) => unpairedDenominators(batch.lists, batch.counts),
    counts: (batch) =>
      batch.lists.some(({ rows = [] }) => rows.some(({ weight }) => weight !== 0)) ||
      carriesSft(batch, options.sftWeight),
    loss: (scores, lists, denominators) => unpairedLoss(scores, lists, options, denominators),
    reward: (sum, _, reference) => beta * (sum - reference),
    preview: mismatched ? { of: 'mismatched', take: mismatchedFacts } : undefined,
  }
}

function mismatchedFacts({ mismatched }: StepBatch, sums: readonly (readonly number[])[]) {
  const reference = mismatched?.reference ?? []
  return ktoFacts(sums.flatMap((row, i) => row.map((sum, k) => sum - reference[i][k])))
}
