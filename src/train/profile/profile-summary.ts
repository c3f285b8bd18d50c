/** A profile as rows: time by phase, and by operator, forward and backward. */
import type { Profile } from './profile.js'
import { PHASES } from './profile-phases.js'

export interface PhaseRow {
  /** `other`: what lies between the phases. */
  phase: string
  /** Milliseconds a step. */
  milliseconds: number
  /** Of the step. */
  share: number
  /** Of its time, outside of libtorch's operators. */
  outside: number
  bytes: number
}

export interface OperatorRow {
  operator: string
  pass: 'forward' | 'backward'
  /** Calls a step. */
  calls: number
  /** Milliseconds a step, without the operators inside. */
  milliseconds: number
  /** Of the time of all operators. */
  share: number
  /** Bytes of results a step. */
  bytes: number
}

export interface ProfileSummary {
  steps: number
  /** Milliseconds a step. */
  milliseconds: number
  tokensPerSecond: number
  /** Share of the matrix peak. */
  mfu: number
  peak: number
  /** Share of a step's time outside of libtorch's operators. */
  outside: number
  bytes: number
  phases: PhaseRow[]
  operators: OperatorRow[]
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

export function summarize({ steps, work, peak }: Profile): ProfileSummary {
  const count = steps.length
  const total = sum(steps.map((s) => s.milliseconds))
  const top = steps.flatMap((s) => s.operators.filter(({ depth }) => depth === 0))
  return {
    steps: count,
    milliseconds: total / count,
    tokensPerSecond: work.tokens / (total / 1000),
    mfu: work.flops / (total / 1000) / peak,
    peak,
    outside: 1 - sum(top.map((e) => e.duration)) / total,
    bytes: sum(top.map((e) => e.bytes)) / count,
    phases: phaseRows({ steps, work, peak }, total),
    operators: operatorRows({ steps, work, peak }),
  }
}

function phaseRows({ steps }: Profile, total: number): PhaseRow[] {
  const rows = PHASES.map((phase): PhaseRow => {
    let [time, inside, bytes] = [0, 0, 0]
    for (const { phases, operators } of steps) {
      const top = operators.filter(({ depth }) => depth === 0)
      for (const mark of phases.filter((m) => m.phase === phase)) {
        time += mark.end - mark.start
        const own = top.filter((e) => e.start >= mark.start && e.start < mark.end)
        inside += sum(own.map((e) => e.duration))
        bytes += sum(own.map((e) => e.bytes))
      }
    }
    const outside = time > 0 ? Math.max(0, 1 - inside / time) : 0
    return {
      phase,
      milliseconds: time / steps.length,
      share: time / total,
      outside,
      bytes: bytes / steps.length,
    }
  })
  const rest = total / steps.length - sum(rows.map((r) => r.milliseconds))
  const other = {
    phase: 'other',
    milliseconds: rest,
    share: (rest * steps.length) / total,
    outside: 1,
    bytes: 0,
  }
  return [...rows, other].filter(({ milliseconds }) => milliseconds > 0)
}

function operatorRows({ steps }: Profile): OperatorRow[] {
  const rows = new Map<string, OperatorRow>()
  for (const { operators } of steps) {
    for (const { name, backward, self, bytes } of operators) {
      const pass = backward ? 'backward' : 'forward'
      const key = `${name}|${pass}`
      const row = rows.get(key) ?? { operator: name, pass, calls: 0, milliseconds: 0, share: 0, bytes: 0 }
      row.calls += 1
      row.milliseconds += self
      row.bytes += bytes
      rows.set(key, row)
    }
  }
  const all = sum([...rows.values()].map((r) => r.milliseconds))
  return [...rows.values()]
    .map((r) => ({
      ...r,
      calls: r.calls / steps.length,
      milliseconds: r.milliseconds / steps.length,
      share: r.milliseconds / all,
      bytes: r.bytes / steps.length,
    }))
    .sort((a, b) => b.milliseconds - a.milliseconds)
}
