/** The plan of a training that begins: one line, a warning or a refusal where it does not fit, advice when memory runs out. */
import { type ClhaError, resourceError } from '../../errors.js'
import { EXIT } from '../../exit-codes.js'
import { bestChanges, changesFor } from '../../plan/advice.js'
import { trainWork } from '../../plan/flops.js'
import { flops, type PlanInput, planTraining, type TrainingPlan } from '../../plan/plan.js'
import type { Session } from '../../session/session.js'
import { amount, bytes, duration } from '../../show/units.js'
import { currentDevice } from '../../tensor/index.js'
import { type PlanNeeds, type Planned, planInput } from './plan-input.js'

/** Plans are within 15 % (docs/plan.md): what is this much over can't fit. Of a GPU they know less, and it says itself what it lacks. */
const CERTAIN = 1.25

/** The plan knows the machine's memory, not a limit that somebody has set on the process. */
const LIMITED =
  'where a limit is set on this process (ulimit, a container), raise it, or halve max_tokens_per_batch until it fits'

export interface BegunPlan {
  plan: TrainingPlan
  /** Says the plan, with the time that follows from what the largest micro-batch took. */
  say(secondsOfLargest: number): void
  /** An error as it is told: memory that ran out comes with the plan and what to change. */
  explain(error: unknown): unknown
}

/** @throws ClhaError (exit 4) for a training that needs far more memory than there is */
export function beginPlan(session: PlanNeeds & Pick<Session, 'ui'>, planned: Planned): BegunPlan {
  const input = planInput(session, planned)
  const plan = planTraining(input)
  const { peak } = plan.memory
  const lack = `the training needs about ${bytes(peak)} of memory, ${bytes(plan.available)} can be had`
  if (currentDevice() === 'cpu' && peak > plan.available * CERTAIN)
    throw resourceError(`out of memory before it began: ${lack}`, adviceOf(input, plan))
  if (!plan.fits) session.ui.warn(lack, adviceOf(input, plan))
  return {
    plan,
    say: (seconds) => {
      const { work, largest, recompute, steps } = plan
      const time = (seconds * flops(work)) / Math.max(1, flops(trainWork(input.shape, largest, recompute)))
      const again = recompute ? ', blocks recomputed' : ''
      session.ui.line(
        `plan     ${bytes(peak)} of memory at most${again}, ${bytes(plan.available)} can be had · ` +
          `${amount(steps, 'step')} of about ${duration(time / steps)} · ${duration(time)} in all`,
      )
    },
    explain: (error) => {
      const { exitCode, message } = (error ?? {}) as Partial<ClhaError>
      const ranOut = exitCode === EXIT.resources || exitCode === undefined
      if (!ranOut || !/out of memory|allocate memory/.test(message ?? '')) return error
      const told = message?.startsWith('out of memory') ? message : `out of memory: ${message}`
      return resourceError(told, `${adviceOf(input, plan)}\n${LIMITED}`)
    },
  }
}

/** The parts of the memory, and the three best changes. */
export function adviceOf(input: PlanInput, plan: TrainingPlan): string {
  const { weights, gradients, optimizer, activations, logits } = plan.memory
  const parts = { weights, gradients, optimizer, activations, logits }
  const listed = Object.entries(parts).map(([name, n]) => `${name} ${bytes(n)}`)
  const changes = bestChanges(changesFor(input, plan), plan.available)
  const lines = changes.map(({ setting, peak, price }) => `${setting}   then about ${bytes(peak)}; ${price}`)
  const smallest =
    'a smaller max_tokens_per_batch gains nothing more here: take a smaller model, or a shorter max_length'
  return [listed.join(', '), ...(lines.length > 0 ? lines : [smallest])].join('\n')
}
