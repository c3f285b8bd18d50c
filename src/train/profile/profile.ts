/** The profiler: a few steps recorded operator by operator and phase by phase. */
import { type OperatorEvent, recordOperators } from './profile-operators.js'
import { type PhaseMark, recordPhases } from './profile-phases.js'
import { addWork, noWork, type StepWork } from './profile-work.js'

/** Steps left alone first: they fill caches. Steps recorded then. */
const WARM_UP = 2
const RECORDED = 5

/** One recorded step; times in milliseconds since it began. */
export interface ProfiledStep {
  step: number
  milliseconds: number
  phases: PhaseMark[]
  operators: OperatorEvent[]
}

export interface Profile {
  steps: ProfiledStep[]
  work: StepWork
  /** FLOP/s of a product of matrices. */
  peak: number
}

export interface Profiler {
  /** Before a step, counted from 1 within the run. */
  begin(step: number): void
  /** After it. @returns the profile, when it is complete */
  end(work: StepWork): Profile | undefined
}

interface Recording {
  step: number
  start: number
  stop(): Pick<ProfiledStep, 'phases' | 'operators'>
}

/** There is one engine in a process, and so one recording. */
let open: Recording | undefined

/** Ends a recording that an error left open. */
export function stopProfiling(): void {
  open?.stop()
  open = undefined
}

/** @param totalSteps of this run: a short one has no warm-up */
export function createProfiler(totalSteps: number, peak: number): Profiler {
  const first = Math.min(WARM_UP, Math.max(0, totalSteps - RECORDED))
  const last = Math.min(first + RECORDED, totalSteps)
  const steps: ProfiledStep[] = []
  const work = noWork()
  let seen = 0
  return {
    begin(step) {
      if (seen < first || seen >= last) return
      const stopPhases = recordPhases()
      const stopOperators = recordOperators()
      const start = performance.now()
      const stop = () => ({ operators: stopOperators(), phases: stopPhases() })
      open = { step, start, stop }
    },
    end(stepWork) {
      seen += 1
      if (!open) return undefined
      const { step, start, stop } = open
      open = undefined
      const milliseconds = performance.now() - start
      const { operators, phases } = stop()
      const marks = phases.map((m) => ({ ...m, start: m.start - start, end: m.end - start }))
      steps.push({ step, milliseconds, phases: marks, operators })
      addWork(work, stepWork)
      return seen === last ? { steps, work, peak } : undefined
    },
  }
}
