/** Maximum of the likelihood within bounds: a grid that misses no hill, then scoring steps up the best of them. */
import { cholesky, solveFactored } from '../../statistics/strengths/positive-definite.js'
import type { Evidence } from './evidence.js'
import { logLikelihood, type Point, rowScore } from './likelihood.js'

/** A coordinate whose bounds are equal is fixed. */
export type Box = readonly [low: number, high: number][]

export interface Found {
  at: Point
  value: number
}

const clamp = (x: number, [low, high]: readonly [number, number]) => Math.min(high, Math.max(low, x))

/** Sum over the rows of scores, and of their outer products (the information matrix, row by row). */
export function scoreSums(data: Evidence, at: Point): { slope: number[]; information: number[][] } {
  const slope = [0, 0, 0]
  const information = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]
  const row = new Float64Array(3)
  for (let i = 0; i < data.gap.length; i++) {
    rowScore(data, i, at, row)
    const w = data.weight[i]
    for (let a = 0; a < 3; a++) {
      slope[a] += w * row[a]
      for (let b = 0; b <= a; b++) information[a][b] += w * row[a] * row[b]
    }
  }
  for (let a = 0; a < 3; a++) for (let b = a + 1; b < 3; b++) information[a][b] = information[b][a]
  return { slope, information }
}

/** What is climbed: a function of a point, with its slope and information there. */
export interface Hill {
  value(at: readonly number[]): number
  sums(at: readonly number[]): { slope: number[]; information: number[][] }
}

/** Climbs from `start`: scoring steps (Berndt, Hall, Hall, Hausman 1974) with halving, kept within the box. */
export function climbHill(hill: Hill, start: readonly number[], box: Box, tolerance = 1e-9) {
  let at = start.map((x, k) => clamp(x, box[k]))
  let value = hill.value(at)
  for (let step = 0; step < 100; step++) {
    const { slope, information } = hill.sums(at)
    const free = box.flatMap(([low, high], k) => {
      const stuck = low >= high || (at[k] <= low && slope[k] <= 0) || (at[k] >= high && slope[k] >= 0)
      return stuck ? [] : [k]
    })
    if (free.length === 0) break
    const factor = cholesky(
      free.map((a) =>
        Float64Array.from(free, (b) => information[a][b] * (a === b ? 1 + 1e-6 : 1) + (a === b ? 1e-9 : 0)),
      ),
    )
    if (!factor) break
    const move = solveFactored(
      factor,
      free.map((k) => slope[k]),
    )
    let gained = 0
    for (let size = 1; size > 1e-4 && gained <= 0; size /= 2) {
      const next = [...at]
      free.forEach((k, j) => {
        next[k] = clamp(at[k] + size * Math.max(-1, Math.min(1, move[j])), box[k])
      })
      const there = hill.value(next)
      if (!(there > value)) continue
      gained = there - value
      at = next
      value = there
    }
    if (gained < tolerance) break
  }
  return { at, value }
}

/** Climbs the likelihood of one scorer's pairs. */
export function climb(data: Evidence, start: Point, box: Box, tolerance?: number): Found {
  const hill: Hill = {
    value: (at) => logLikelihood(data, at as Point),
    sums: (at) => scoreSums(data, at as Point),
  }
  return climbHill(hill, start, box, tolerance) as Found
}

const ERRORS = [0.01, 0.1, 0.2, 0.3, 0.42]
const LAPSES = [0, 0.12, 0.3]
const STEPS = 12

/** The highest of the hills. @param coarse the same evidence in few groups, to look for hills on */
export function maximise(data: Evidence, coarse: Evidence, box: Box): Found {
  const spread = (points: readonly number[], [low, high]: readonly [number, number]) =>
    low === high ? [low] : points.filter((x) => x >= low && x <= high)
  const [low, high] = box[2]
  const logs = Array.from({ length: STEPS }, (_, k) => low + ((high - low) * (k + 0.5)) / STEPS)
  const starts: Found[] = []
  for (const e of spread(ERRORS, box[0])) {
    for (const lapse of spread(LAPSES, box[1])) {
      for (const logT of spread(logs, box[2])) {
        const at: Point = [e, lapse, logT]
        starts.push({ at, value: logLikelihood(coarse, at) })
      }
    }
  }
  starts.sort((a, b) => b.value - a.value)
  const hills = starts.slice(0, 4).map(({ at }) => climb(coarse, at, box, 1e-4))
  const best = hills.reduce((a, b) => (b.value > a.value ? b : a))
  return climb(data, best.at, box)
}
