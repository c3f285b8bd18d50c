/** A reward's unit and the annotators' error, fitted together so that the label noise is not counted twice. */
import { usageError } from '../errors.js'
import { createRandom } from '../random.js'
import type { Interval } from '../statistics/estimate.js'
import { quantile } from '../statistics/statistics.js'
import type { Scale } from './beliefs.js'
import {
  ERROR_BOUNDS,
  type EstimateOptions,
  estimateError,
  estimateScale,
  groupGaps,
  medianGap,
  TEMPERATURE_BOUNDS,
  type WeightedGaps,
} from './estimate-scale.js'
import { type ReliabilityBin, reliabilityTable } from './reliability.js'

export interface CalibrateOptions {
  /** Fixes T, in the reward's unit. */
  temperature?: number
  /** Fixes e in [0, 0.5). 0 is the plain estimate, which evaluates a reward model and counts label noise as its own. */
  labelError?: number
  /** Fewer labelled pairs than this are refused. */
  minPairs?: number
  /** Bootstrap resamples; 0 leaves the intervals out. */
  resamples?: number
  seed?: number | string
  /** What the pairs are, for messages: a fold, a source. */
  name?: string
}

export interface Calibration extends Scale {
  /** Labelled pairs it rests on. */
  pairs: number
  /** 95 % percentile bootstrap; absent where the value was fixed. */
  temperatureInterval?: Interval
  labelErrorInterval?: Interval
  /** Values that stopped at the edge of what the estimate allows: read them as a warning. */
  atBound: ('temperature' | 'label_error')[]
  reliability: ReliabilityBin[]
}

/** The fold of prompts that no scorer trained on: their rewards are already the mean of r / T, in units of 1. */
export const UNSEEN = -1

export interface FoldCalibration extends Calibration {
  fold: number
}

/** e without any evidence: the mode of the estimate's prior. */
export const PRIOR_LABEL_ERROR = 0.25

/**
 * Estimates T and e from gaps d = r_chosen - r_rejected of labelled pairs that the scorer did not train on, maximising
 * sum ln[(1 - e) sg(d / T) + e sg(-d / T)] + 10 ln e + 30 ln(1 - e).
 * Intervals: 200 resamples of the pairs; above 1,000 pairs each resample is fitted on 1,000 groups of neighbouring gaps.
 * @throws ClhaError (usage) for fewer than `minPairs` (200) pairs, or gaps that are mostly 0, when something must be fitted
 * @example
 * ```ts
 * calibrate([2, 1, -1], { temperature: 1, labelError: 0.25 }).pairs // 3
 * ```
 */
export function calibrate(gaps: ArrayLike<number>, options: CalibrateOptions = {}): Calibration {
  const { temperature, labelError, resamples = 200, seed = 0 } = options
  checkFixed(options)
  const gap = Float64Array.from(gaps)
  const reliability = (scale: Scale) => reliabilityTable(gap, scale)
  // With T given and no label in sight, e is never used.
  if (temperature !== undefined && (labelError !== undefined || gap.length === 0)) {
    const scale = { temperature, labelError: labelError ?? PRIOR_LABEL_ERROR }
    return { ...scale, pairs: gap.length, atBound: [], reliability: reliability(scale) }
  }
  const median = checkGaps(gap, options)
  const estimateOnce = (data: WeightedGaps, extra: Partial<EstimateOptions> = {}): Scale =>
    temperature === undefined
      ? estimateScale(data, { labelError, median, ...extra })
      : { temperature, labelError: estimateError(data, temperature) }
  const scale = estimateOnce({ gap, weight: new Float64Array(gap.length).fill(1) })
  const estimates = resampled(gap, resamples, seed, (data) =>
    estimateOnce(data, { grid: 24, tolerance: 1e-4 }),
  )
  const interval = (of: (found: Scale) => number): Interval | undefined =>
    estimates.length === 0
      ? undefined
      : [quantile(estimates.map(of), 0.025), quantile(estimates.map(of), 0.975)]
  return {
    ...scale,
    pairs: gap.length,
    temperatureInterval: temperature === undefined ? interval((found) => found.temperature) : undefined,
    labelErrorInterval: labelError === undefined ? interval((found) => found.labelError) : undefined,
    atBound: atBound(scale, median, options),
    reliability: reliability(scale),
  }
}

function checkFixed({ temperature, labelError }: CalibrateOptions): void {
  if (temperature !== undefined && !(temperature > 0 && Number.isFinite(temperature))) {
    throw usageError(`temperature is ${temperature}`, 'It is the unit of the reward and must be above 0.')
  }
  if (labelError !== undefined && !(labelError >= 0 && labelError < 0.5)) {
    throw usageError(`label_error is ${labelError}`, 'It is the share of wrong labels, in [0, 0.5).')
  }
}

const WAYS =
  'Ways out: fix both `reward_temperature` (the reward gap worth odds of e to 1) and `label_error` (the share of wrong labels), as recipes/few-pairs.yaml does, or give it more labelled pairs.'

const named = (name?: string) => (name ? `calibration of ${name}` : 'calibration')

/**
 * What is known before there are rewards: whether so many labelled pairs are enough for what has to be fitted.
 * @throws ClhaError (usage) as `calibrate` does
 */
export function requirePairs(pairs: number, options: CalibrateOptions): void {
  const { minPairs = 200, temperature, labelError, name } = options
  if (temperature !== undefined && (labelError !== undefined || pairs === 0)) return
  if (pairs >= minPairs) return
  throw usageError(`${named(name)}: ${pairs} labelled pairs, at least ${minPairs} are needed`, WAYS)
}

/** Refuses what cannot be fitted; returns the median |d|. */
function checkGaps(gap: Float64Array, options: CalibrateOptions): number {
  const { temperature, name } = options
  const what = named(name)
  if (gap.some((d) => !Number.isFinite(d))) throw usageError(`${what}: a reward is not a finite number`)
  requirePairs(gap.length, options)
  const median = medianGap(gap)
  if (median === 0 && temperature === undefined) {
    throw usageError(
      `${what}: at least half of the ${gap.length} labelled pairs have equal rewards, so the reward has no unit`,
      `Check that the scorer sees the answers (a constant reward says nothing). ${WAYS}`,
    )
  }
  return median
}

function atBound(scale: Scale, median: number, options: CalibrateOptions): Calibration['atBound'] {
  const near = (x: number, bounds: readonly [number, number], unit: number) =>
    bounds.some((bound) => Math.abs(x / (bound * unit) - 1) < 1e-3)
  const out: Calibration['atBound'] = []
  if (options.temperature === undefined && near(scale.temperature, TEMPERATURE_BOUNDS, median)) {
    out.push('temperature')
  }
  if (options.labelError === undefined && near(scale.labelError, ERROR_BOUNDS, 1)) out.push('label_error')
  return out
}

/** Estimates from resamples of the gaps with replacement; a group stands for as many gaps as were drawn from it. */
function resampled(
  gap: Float64Array,
  resamples: number,
  seed: number | string,
  estimate: (data: WeightedGaps) => Scale,
): Scale[] {
  const groups = groupGaps(gap)
  const groupOf = new Uint32Array(gap.length)
  let at = 0
  groups.weight.forEach((size, g) => {
    groupOf.fill(g, at, at + size)
    at += size
  })
  const random = createRandom(seed)
  return Array.from({ length: resamples }, () => {
    const weight = new Float64Array(groups.gap.length)
    for (let i = 0; i < gap.length; i++) weight[groupOf[random.int(gap.length)]]++
    return estimate({ gap: groups.gap, weight })
  })
}
