/** The annotators' error e, and each scorer's unit T and lapse, with what is known of each. */
import type { Interval } from '../../statistics/estimate.js'
import { averageNoise, type Weighed } from './average.js'
import { clusterEffect } from './cluster-effect.js'
import { type Evidence, medianGap } from './evidence.js'
import type { Point } from './likelihood.js'
import { type Box, climb } from './maximise.js'
import { bestAt, bestOverall, fixedAt, type Joint, lastInside, type Part, partOf } from './profile.js'

export const ERROR_BOUNDS = [0.002, 0.495] as const
export const LAPSE_BOUNDS = [0, 0.49] as const
/** T lies within these multiples of the median |d|. */
export const TEMPERATURE_BOUNDS = [0.01, 100] as const
/** Half of the 95 % and of the 99.9 % quantile of chi-squared with one degree of freedom. */
const [DROP, FAR_DROP] = [1.9207, 5.4138]
/** Points on the way from the lowest plausible e to the highest. */
const PATH = 5

/** What decides how labels and rewards are weighed. */
export interface Noise {
  /** Probability that a label is wrong. */
  labelError: number
  /** Share of pairs in which the reward is wrong however large its gap. */
  lapse: number
  /** The unit of the reward: beyond lapses, r / temperature is a log-odds. */
  temperature: number
}

export interface NoiseFit extends Noise {
  /** 95 % profile-likelihood intervals; absent where the value is given. */
  labelErrorInterval?: Interval
  lapseInterval?: Interval
  temperatureInterval?: Interval
  /** Noises that the labels do not rule out: from the lowest e to the highest, then the lowest and the highest T, the rest at its best. */
  plausible: Noise[]
  /** The same at 99.9 %. */
  possible: Noise[]
  /** Noises weighed by their likelihood. */
  averaged: Weighed[]
  /** How much further than for independent pairs a log-likelihood may fall within an interval. */
  designEffect: number
}

export interface NoiseOptions {
  labelError?: number
  lapse?: number
  /** Of each part. */
  temperatures?: readonly (number | undefined)[]
}

/**
 * Maximum likelihood with one e for all parts (the labels are the same people's) and a T and a lapse for each (they
 * are the scorer's). No prior: what labels can't tell stays open, and shows in the intervals.
 * @param evidence of each scorer, the pairs that it did not train on; a median |d| of 0 needs a given T
 */
export function fitNoise(evidence: readonly Evidence[], options: NoiseOptions = {}): NoiseFit[] {
  const parts = evidence.map((one, i) => partOf(one, boxOf(one, options, options.temperatures?.[i])))
  const best = bestOverall(parts)
  const effect = clusterEffect(
    parts.map(({ box }, i) => ({ evidence: evidence[i], at: best.points[i], box })),
  )
  const near = setWithin(parts, best, DROP * effect)
  const far = setWithin(parts, best, FAR_DROP * effect)
  const averaged = averageNoise(
    evidence,
    parts.map(({ box }) => box),
    effect,
  )
  return parts.map((_, i): NoiseFit => {
    const { path, lapses, units } = { path: near.path, lapses: near.ends(i, 1), units: near.ends(i, 2) }
    const [low, high] = [path[0].points[i], path[path.length - 1].points[i]]
    return {
      ...noiseOf(best.points[i]),
      ...(path.length > 1 && { labelErrorInterval: [low[0], high[0]] }),
      ...(lapses && { lapseInterval: [lapses[0].at[1], lapses[1].at[1]] }),
      ...(units && { temperatureInterval: [Math.exp(units[0].at[2]), Math.exp(units[1].at[2])] }),
      plausible: [...path.map(({ points }) => points[i]), ...(units ?? []).map(({ at }) => at)].map(noiseOf),
      possible: [
        ...far.path.map(({ points }) => points[i]),
        ...(far.ends(i, 2) ?? []).map(({ at }) => at),
      ].map(noiseOf),
      averaged: averaged[i],
      designEffect: effect,
    }
  })
}

/** What lies no more than `drop` nats below the best: a path over e, and the ends of each part's own values. */
function setWithin(parts: readonly Part[], best: Joint, drop: number) {
  const least = best.value - drop
  const path = errorPath(parts, best, least)
  // Both ends and the middle: what a value of one part costs changes slowly along the path.
  const stops = path.filter((_, k) => k % 2 === 0)
  return { path, ends: (i: number, k: 1 | 2) => ownEnds({ parts, path: stops, best, least }, i, k) }
}

const noiseOf = ([labelError, lapse, logT]: Point): Noise => ({
  labelError,
  lapse,
  temperature: Math.exp(logT),
})

function boxOf({ gap }: Evidence, { labelError, lapse }: NoiseOptions, temperature: number | undefined): Box {
  const at = (x: number): [number, number] => [x, x]
  const median = temperature === undefined ? medianGap({ gap }) : 1
  return [
    labelError === undefined ? [...ERROR_BOUNDS] : at(labelError),
    lapse === undefined ? [...LAPSE_BOUNDS] : at(lapse),
    temperature === undefined
      ? [Math.log(TEMPERATURE_BOUNDS[0] * median), Math.log(TEMPERATURE_BOUNDS[1] * median)]
      : at(Math.log(temperature)),
  ]
}

/** From the lowest e that is not ruled out to the highest; one point where e is given. */
function errorPath(parts: readonly Part[], best: Joint, least: number): Joint[] {
  const [low, high] = parts[0].box[0]
  if (low === high) return [best]
  const from = best.points[0][0]
  const at = (e: number, near: Joint) => bestAt(parts, e, near)
  const end = (bound: number) => lastInside(at, { from, start: best, bound, least })
  const [first, last] = [end(low), end(high)]
  const inner: Joint[] = []
  let near = first.found
  for (let j = 1; j < PATH - 1; j++) {
    near = bestAt(parts, first.x + ((last.x - first.x) * j) / (PATH - 1), near)
    inner.push(near)
  }
  return [first.found, ...inner, last.found]
}

interface Ends {
  at: Point
  value: number
}

interface Fitted {
  parts: readonly Part[]
  path: readonly Joint[]
  best: Joint
  least: number
}

/** Both ends of a part's lapse (1) or ln T (2): the rest at its best, e among those of the path. */
function ownEnds({ parts, path, best, least }: Fitted, i: number, k: number): [Ends, Ends] | undefined {
  const { data, box } = parts[i]
  const [low, high] = box[k]
  if (low === high) return undefined
  // Parts beside this one speak through e alone.
  const others = path.map(
    ({ value, points }) => value - climb(data, points[i], fixedAt(box, 0, points[i][0]), 1e-6).value,
  )
  const at = (x: number, near: Ends): Ends =>
    parts.length === 1
      ? climb(data, withValue(near.at, k, x), fixedAt(box, k, x), 1e-4)
      : path
          .map(({ points }, j) => {
            const found = climb(
              data,
              withValue(points[i], k, x),
              fixedAt(fixedAt(box, k, x), 0, points[i][0]),
              1e-4,
            )
            return { at: found.at, value: found.value + others[j] }
          })
          .reduce((a, b) => (b.value > a.value ? b : a))
  const start = { at: best.points[i], value: best.value }
  const end = (bound: number) => lastInside(at, { from: best.points[i][k], start, bound, least }).found
  return [end(low), end(high)]
}

const withValue = (at: Point, k: number, x: number): Point => at.map((y, j) => (j === k ? x : y)) as Point
