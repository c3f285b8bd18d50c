/** The phases of an optimizer step, timed while a profile is taken; otherwise a phase is its function and nothing else. */

export const PHASES = ['pack', 'forward', 'loss', 'backward', 'clip', 'optimizer', 'log'] as const

export type Phase = (typeof PHASES)[number]

export interface PhaseMark {
  phase: Phase
  /** Of `performance.now()`. */
  start: number
  end: number
}

let marks: PhaseMark[] | undefined

export function phase<T>(name: Phase, fn: () => T): T {
  if (!marks) return fn()
  const into = marks
  const start = performance.now()
  try {
    return fn()
  } finally {
    into.push({ phase: name, start, end: performance.now() })
  }
}

/** Begins to time phases. @returns ends it */
export function recordPhases(): () => PhaseMark[] {
  if (marks) throw new Error('phases are being recorded already')
  const own: PhaseMark[] = []
  marks = own
  return () => {
    marks = undefined
    return own
  }
}
