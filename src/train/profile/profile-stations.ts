/** The stations of an optimizer step, timed while a profile is taken; otherwise a station is its function and nothing else. */

export const STATIONS = ['pack', 'forward', 'loss', 'backward', 'clip', 'optimizer', 'log'] as const

export type Station = (typeof STATIONS)[number]

export interface StationMark {
  station: Station
  /** Of `performance.now()`. */
  start: number
  end: number
}

let marks: StationMark[] | undefined

export function station<T>(name: Station, fn: () => T): T {
  if (!marks) return fn()
  const into = marks
  const start = performance.now()
  try {
    return fn()
  } finally {
    into.push({ station: name, start, end: performance.now() })
  }
}

/** Begins to time stations. @returns ends it */
export function recordStations(): () => StationMark[] {
  if (marks) throw new Error('stations are being recorded already')
  const own: StationMark[] = []
  marks = own
  return () => {
    marks = undefined
    return own
  }
}
