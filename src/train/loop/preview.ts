/** Scores of a whole step, taken without gradient, for losses that need them before their first gradient. */
import { type PackedBatch, valuesByList } from '../../data/encode/pack.js'
import type { Denominators, StepFacts } from '../../losses/types.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { noGrad, scope } from '../../tensor/index.js'
import type { Objective } from '../objectives/objective.js'
import type { StepBatch } from './items.js'

/** Scores by list, for the batches given. */
export function sumsByList(
  batches: readonly PackedBatch[],
  sumsOf: (micro: PackedBatch, place: number) => readonly number[],
): number[][] {
  const out: number[][] = []
  for (const [place, micro] of batches.entries())
    for (const [list, sums] of valuesByList(micro, sumsOf(micro, place))) out[list] = sums
  return out
}

export interface StepPreview {
  /** Denominators of a micro-batch, from the scores that its own forward gave. */
  denominators(sums: () => readonly number[]): Denominators
  /** For the log; known once the first micro-batch was seen. */
  metrics(): Record<string, number>
}

/**
 * @param around runs a forward of the micro-batch at a place as the step itself will: under the same dropout
 */
export function previewStep(
  { objective, model }: { objective: Objective; model: Decoder },
  batch: StepBatch,
  training: boolean,
  around: <T>(place: number, fn: () => T) => T,
): StepPreview {
  const counted = objective.denominators(batch)
  const { preview } = objective
  if (!preview) return { denominators: () => counted, metrics: () => ({}) }
  let facts: StepFacts | undefined
  const forward = (micro: PackedBatch) =>
    noGrad(() => scope(() => objective.forward(model, micro).sum.numbers()))
  if (preview.of === 'mismatched') {
    facts = preview.take(batch, sumsByList(batch.mismatched?.micro ?? [], forward), training)
  } else if (batch.micro.length !== 1) {
    const sums = sumsByList(batch.micro, (micro, place) => around(place, () => forward(micro)))
    facts = preview.take(batch, sums, training)
  }
  return {
    denominators: (sums) => {
      // Of a step in one micro-batch its own forward tells: nothing is computed twice.
      facts ??= preview.take(batch, sumsByList(batch.micro, sums), training)
      return { ...counted, facts }
    },
    metrics: () => facts?.metrics ?? {},
  }
}
