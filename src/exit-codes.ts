/** What the process tells its caller; the one place that defines it. */
export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  busy: 3,
  resources: 4,
  numerics: 5,
  lostRank: 6,
  noCheckpoint: 7,
  gate: 8,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
