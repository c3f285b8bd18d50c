/** The metrics of a training as series, and how far one has moved from where it started. */
import type { MetricRow } from '../../runs/metrics.js'
import { mean } from '../../statistics/statistics.js'

export interface Series {
  /** Values in the order of the rows; NaN and infinity are left out. */
  values(name: string): readonly number[]
  /** Whether the last row has it. */
  inLast(name: string): boolean
  add(row: MetricRow): void
}

export function createSeries(): Series {
  const series = new Map<string, number[]>()
  let last: MetricRow | undefined
  return {
    inLast: (name) => last !== undefined && name in last,
    values: (name) => series.get(name) ?? [],
    add(row) {
      last = row
      for (const [name, value] of Object.entries(row)) {
        if (name === 'step' || typeof value !== 'number' || !Number.isFinite(value)) continue
        const list = series.get(name)
        if (list) list.push(value)
        else series.set(name, [value])
      }
    },
  }
}

export interface Shift {
  from: number
  to: number
  /** What the difference of two such means may be by chance. */
  noise: number
}

/** Rows of a training batch that are averaged on both sides. */
const WINDOW = 3
/** Differences between neighbours that tell of the noise. */
const RECENT = 20
/** Standard errors that are taken for more than chance. */
const SURE = 3

/**
 * From the mean of the first three values to that of the last three. Every value is of other lists, so neighbours differ by
 * noise: three standard errors of such a difference are no news. Undefined before there are six values.
 */
export function shiftOf(values: readonly number[]): Shift | undefined {
  if (values.length < 2 * WINDOW) return undefined
  const steps = values.slice(-RECENT - 1).map((v, i, all) => (i === 0 ? 0 : v - all[i - 1]))
  const variance = steps.slice(1).reduce((sum, d) => sum + d * d, 0) / (2 * (steps.length - 1))
  return {
    from: mean(values.slice(0, WINDOW)),
    to: mean(values.slice(-WINDOW)),
    noise: SURE * Math.sqrt((2 * variance) / WINDOW),
  }
}

/** As `shiftOf`, of values that are all of the same prompts or lists: nothing differs by chance of the draw. */
export function fixedShiftOf(values: readonly number[]): Shift | undefined {
  if (values.length < 2) return undefined
  return { from: values[0], to: values[values.length - 1], noise: 0 }
}

/** Mean of the last three values; undefined before there are three. */
export const recent = (values: readonly number[]): number | undefined =>
  values.length < WINDOW ? undefined : mean(values.slice(-WINDOW))
