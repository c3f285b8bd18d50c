/** Learning-rate schedules, as transformers' get_scheduler has them (test/fixtures/optim/schedules.json). */

export type ScheduleName = 'linear' | 'cosine' | 'constant' | 'constant_with_warmup'

export interface Schedule {
  name: ScheduleName
  warmupSteps: number
  totalSteps: number
}

/** Factor on the learning rate for the update after `step` finished updates (from 0). */
export function scheduleFactor({ name, warmupSteps, totalSteps }: Schedule, step: number): number {
  if (name === 'constant') return 1
  if (step < warmupSteps) return step / Math.max(1, warmupSteps)
  if (name === 'constant_with_warmup') return 1
  const left = Math.max(1, totalSteps - warmupSteps)
  if (name === 'linear') return Math.max(0, (totalSteps - step) / left)
  return Math.max(0, 0.5 * (1 + Math.cos((Math.PI * (step - warmupSteps)) / left)))
}
