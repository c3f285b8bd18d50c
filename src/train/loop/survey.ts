/** Scores of a whole step, taken without gradient, for losses that need them before their first gradient. */
import type { PackedBatch } from '../../data/encode/pack.js'
import type { Denominators, StepFacts } from '../../losses/types.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { noGrad, scope } from '../../tensor/index.js'
import type { Objective } from '../objectives/objective.js'
import type { StepPlan } from './items.js'

/** Scores by list, for the batches given. */
export function sumsByList(
  batches: readonly PackedBatch[],
  sumsOf: (batch: PackedBatch, place: number) => readonly number[],
): number[][] {
  const out: number[][] = []
  batches.forEach((batch, place) => {
    const sums = sumsOf(batch, place)
    batch.lists.forEach((list, i) => {
      out[list] = sums.slice(batch.offsets[i], batch.offsets[i + 1])
    })
  })
  return out
}

export interface StepSurvey {
  /** Denominators of a micro-batch, from the scores that its own forward gave. */
  denominators(sums: () => readonly number[]): Denominators
  /** For the log; known once the first micro-batch was seen. */
  metrics(): Record<string, number>
}

/**
 * @param around runs a forward of the micro-batch at a place as the step itself will: under the same dropout
 */
export function surveyStep(
  { objective, model }: { objective: Objective; model: Decoder },
  plan: StepPlan,
  training: boolean,
  around: <T>(place: number, fn: () => T) => T,
): StepSurvey {
  const counted = objective.denominators(plan)
  const { survey } = objective
  if (!survey) return { denominators: () => counted, metrics: () => ({}) }
  let facts: StepFacts | undefined
  const forward = (batch: PackedBatch) =>
    noGrad(() => scope(() => objective.forward(model, batch).sum.numbers()))
  if (survey.of === 'mismatched') {
    facts = survey.take(plan, sumsByList(plan.mismatched?.micro ?? [], forward), training)
  } else if (plan.micro.length !== 1) {
    const sums = sumsByList(plan.micro, (batch, place) => around(place, () => forward(batch)))
    facts = survey.take(plan, sums, training)
  }
  return {
    denominators: (sums) => {
      // Of a step in one micro-batch its own forward tells: nothing is computed twice.
      facts ??= survey.take(plan, sumsByList(plan.micro, sums), training)
      return { ...counted, facts }
    },
    metrics: () => facts?.metrics ?? {},
  }
}
