/** Noises weighed by how likely they make the labels: what is believed when all that may be true is taken together. */
import { type Evidence, groupEvidence, medianGap } from './evidence.js'
import { logLikelihood, type Point } from './likelihood.js'
import type { Box } from './maximise.js'

export interface Weighed {
  labelError: number
  lapse: number
  temperature: number
  /** They add up to 1. */
  weight: number
}

const ERRORS = [0.002, 0.01, 0.03, 0.06, 0.09, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.36, 0.4, 0.44, 0.48]
const LAPSES = [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4]
/** T in multiples of the median |d|; beyond the last a reward tells nothing. */
const UNITS = [0.14, 0.22, 0.37, 0.6, 1, 1.65, 2.7, 4.5, 7.4, 12, 20, 100]
const ROWS = 100
/** Points kept of each scorer. */
const KEPT = 60

/**
 * A grid over e, lapse and T of each part; all parts share e, which counts evenly over its range.
 * @param effect how many pairs tell as much as one that is alone with its prompt
 * @returns of each part its points, the heaviest first
 */
export function averageNoise(
  evidence: readonly Evidence[],
  boxes: readonly Box[],
  effect: number,
): Weighed[][] {
  const errors = boxes[0][0][0] < boxes[0][0][1] ? ERRORS : [boxes[0][0][0]]
  const tables = evidence.map((one, i) => partTable(one, { box: boxes[i], errors, effect }))
  const totals = errors.map((_, k) => tables.map((table) => logSum(table[k].map(({ value }) => value))))
  const shares = normalised(
    totals.map((parts, k) => parts.reduce((a, b) => a + b, Math.log(width(errors, k)))),
  )
  return tables.map((table, i) => {
    const points = table.flatMap((row, k) =>
      row.map(({ at, value }) => ({ at, weight: shares[k] * Math.exp(value - totals[k][i]) })),
    )
    return heaviest(points)
  })
}

/** How much of the range a point stands for. */
const width = (errors: readonly number[], k: number) =>
  errors.length === 1 ? 1 : (errors[Math.min(k + 1, errors.length - 1)] - errors[Math.max(0, k - 1)]) / 2

interface Grid {
  box: Box
  errors: readonly number[]
  effect: number
}

function partTable(evidence: Evidence, { box, errors, effect }: Grid) {
  const data = groupEvidence(evidence, ROWS)
  const median = medianGap(evidence)
  const lapses = box[1][0] < box[1][1] ? LAPSES : [box[1][0]]
  const logs = box[2][0] < box[2][1] ? UNITS.map((unit) => Math.log(unit * median)) : [box[2][0]]
  return errors.map((e) =>
    lapses.flatMap((lapse) =>
      logs.map((logT) => {
        const at: Point = [e, lapse, logT]
        return { at, value: logLikelihood(data, at) / effect }
      }),
    ),
  )
}

function logSum(values: readonly number[]): number {
  const most = Math.max(...values)
  return most + Math.log(values.reduce((sum, x) => sum + Math.exp(x - most), 0))
}

function normalised(logs: readonly number[]): number[] {
  const total = logSum(logs)
  return logs.map((x) => Math.exp(x - total))
}

function heaviest(points: { at: Point; weight: number }[]): Weighed[] {
  const kept = points.sort((a, b) => b.weight - a.weight).slice(0, KEPT)
  const total = kept.reduce((sum, { weight }) => sum + weight, 0)
  return kept.map(({ at: [labelError, lapse, logT], weight }) => ({
    labelError,
    lapse,
    temperature: Math.exp(logT),
    weight: weight / total,
  }))
}
