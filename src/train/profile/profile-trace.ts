/** A profile in the Trace Event Format, which chrome://tracing and Perfetto show. */
import type { Profile } from './profile.js'

interface TraceEvent {
  name: string
  cat: string
  /** X: a span; M: a name for a row. */
  ph: 'X' | 'M'
  /** Microseconds. */
  ts?: number
  dur?: number
  pid: number
  tid: number
  args?: Record<string, unknown>
}

const ROWS = ['steps', 'phases', 'forward', 'backward']
const microseconds = (milliseconds: number) => Math.round(milliseconds * 1e6) / 1e3

/** Steps stand behind each other, without what lay between them. */
export function chromeTrace({ steps }: Profile): { displayTimeUnit: 'ms'; traceEvents: TraceEvent[] } {
  const traceEvents: TraceEvent[] = ROWS.map((name, tid) => {
    return { name: 'thread_name', cat: '__metadata', ph: 'M', pid: 1, tid, args: { name } }
  })
  let at = 0
  for (const { step, milliseconds, phases, operators } of steps) {
    const span = (name: string, tid: number, start: number, duration: number, args?: TraceEvent['args']) =>
      traceEvents.push({
        name,
        cat: ROWS[tid],
        ph: 'X',
        ts: microseconds(at + start),
        dur: microseconds(duration),
        pid: 1,
        tid,
        args,
      })
    span(`step ${step}`, 0, 0, milliseconds)
    for (const { phase, start, end } of phases) span(phase, 1, start, end - start)
    for (const { name, start, duration, bytes, backward } of operators)
      span(name, backward ? 3 : 2, start, duration, bytes > 0 ? { bytes } : undefined)
    at += milliseconds
  }
  return { displayTimeUnit: 'ms', traceEvents }
}
