/** Learning-rate schedules, as transformers' get_scheduler has them (test/fixtures/optim/schedules.json). */

export const SCHEDULES = [
  'linear',
  'cosine',
  'cosine_with_min_lr',
  'cosine_with_restarts',
  'polynomial',
  'inverse_sqrt',
  'warmup_stable_decay',
  'constant',
  'constant_with_warmup',
] as const
export type ScheduleName = (typeof SCHEDULES)[number]

/** Transformers' `lr_scheduler_kwargs`, in camelCase; each schedule reads its own. */
export interface ScheduleSettings {
  /** cosine_with_min_lr: the lowest rate, or its share of the peak. */
  minLr?: number
  minLrRate?: number
  /** cosine_with_restarts. */
  numCycles?: number
  /** polynomial: the rate at the end, 1e-7, and the exponent, 1. */
  lrEnd?: number
  power?: number
  /** inverse_sqrt: steps after which the rate has fallen to 1 / sqrt(2); the warm-up, else 10,000. */
  timescale?: number
  /** warmup_stable_decay: the last steps, in which the rate falls. */
  numDecaySteps?: number
}

/** Keys of `ScheduleSettings` that each schedule reads. */
export const SCHEDULE_SETTINGS: Partial<Record<ScheduleName, readonly (keyof ScheduleSettings)[]>> = {
  cosine_with_min_lr: ['minLr', 'minLrRate'],
  cosine_with_restarts: ['numCycles'],
  polynomial: ['lrEnd', 'power'],
  inverse_sqrt: ['timescale'],
  warmup_stable_decay: ['numDecaySteps'],
}

export interface Schedule extends ScheduleSettings {
  name: ScheduleName
  warmupSteps: number
  totalSteps: number
}

const halfCosine = (progress: number): number => 0.5 * (1 + Math.cos(Math.PI * progress))

/** Factor on the learning rate for the update after `step` finished updates (from 0). */
export function scheduleFactor(schedule: Schedule, peak: number, step: number): number {
  const { name, warmupSteps, totalSteps } = schedule
  if (name === 'constant') return 1
  if (step < warmupSteps) return step / Math.max(1, warmupSteps)
  const after = Math.max(1, totalSteps - warmupSteps)
  const progress = (step - warmupSteps) / after
  switch (name) {
    case 'constant_with_warmup':
      return 1
    case 'linear':
      return Math.max(0, (totalSteps - step) / after)
    case 'cosine':
      return Math.max(0, halfCosine(progress))
    case 'cosine_with_min_lr': {
      const lowest = schedule.minLr === undefined ? (schedule.minLrRate ?? 0) : schedule.minLr / peak
      return Math.max(0, halfCosine(progress) * (1 - lowest) + lowest)
    }
    case 'cosine_with_restarts':
      return progress >= 1 ? 0 : Math.max(0, halfCosine(((schedule.numCycles ?? 1) * progress) % 1))
    case 'polynomial': {
      const end = (schedule.lrEnd ?? 1e-7) / peak
      return progress >= 1 && step > totalSteps
        ? end
        : (1 - end) * (1 - progress) ** (schedule.power ?? 1) + end
    }
    case 'inverse_sqrt': {
      const timescale = schedule.timescale ?? (warmupSteps || 10_000)
      return 1 / Math.sqrt((step + timescale - warmupSteps) / timescale)
    }
    case 'warmup_stable_decay': {
      const decay = schedule.numDecaySteps ?? Math.ceil(after / 10)
      const falling = step - (totalSteps - decay)
      return falling <= 0 ? 1 : falling >= decay ? 0 : Math.max(0, halfCosine(falling / decay))
    }
  }
}
