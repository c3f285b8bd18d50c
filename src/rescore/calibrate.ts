/** What a scorer's rewards mean and how often labels err, with what the labels can't tell: beliefs rest on this. */
import { usageError } from '../errors.js'
import type { Interval } from '../statistics/estimate.js'
import type { Scale, UncertainScale } from './beliefs.js'
import { type Evidence, medianGap, repeatedVotes, singleLabels } from './noise/evidence.js'
import { ERROR_BOUNDS, fitNoise, type NoiseFit, TEMPERATURE_BOUNDS } from './noise/fit-noise.js'
import { type ReliabilityBin, reliabilityTable } from './reliability.js'

export interface CalibrateOptions {
  /** Fixes T, in the reward's unit; the reward then has no lapse. */
  temperature?: number
  /** Fixes e in [0, 0.5). */
  labelError?: number
  /** Fixes the lapse in [0, 0.5); 0 is the plain logistic of the gap. */
  lapse?: number
  /** Fewer prompts with labelled pairs than this are refused; 200. */
  minPairs?: number
  /** What the pairs are, for messages: a fold, a source. */
  name?: string
}

export interface Calibration extends UncertainScale {
  lapse: number
  /** Scales that the labels do not rule out, from the lowest e to the highest; beliefs are the least of these. */
  plausible: Scale[]
  /** Scales that they do not rule out at 99.9 %: what is risked by reversing labels is counted under these. */
  possible: Scale[]
  /** Labelled pairs it rests on, and their prompts. */
  pairs: number
  prompts: number
  /** Pairs with two votes or more; how many pairs of votes there are, and how many of them disagree. */
  votes: { pairs: number; compared: number; disagree: number }
  /** 95 %, profile likelihood, scaled for pairs of one prompt; absent where the value was fixed. */
  temperatureInterval?: Interval
  lapseInterval?: Interval
  labelErrorInterval?: Interval
  /** Whether e is given, or its interval is no wider than 0.1. */
  determined: boolean
  /** How much further a log-likelihood may fall within an interval because prompts have several pairs. */
  designEffect: number
  /** Values that stopped at the edge of what the estimate allows: read them as a warning. */
  atBound: ('temperature' | 'label_error')[]
  reliability: ReliabilityBin[]
}

/** The fold of prompts that no scorer trained on: their rewards are already the mean of r / T, in units of 1. */
export const UNSEEN = -1

export interface FoldCalibration extends Calibration {
  fold: number
}

/** e where labels are to count and nothing at all is known of them. */
export const ASSUMED_LABEL_ERROR = 0.25

/** An interval of e no wider than this tells what e is. */
const NARROW = 0.1

/**
 * The most likely T, lapse and e, from labelled pairs that the scorer did not train on, without any prior:
 * sum ln[s (1 - e)^u e^v + (1 - s) e^u (1 - e)^v] with s = lapse + (1 - 2 lapse) sg(d / T) over pairs with gap d and
 * u votes for the one answer, v for the other. With one label a pair, e and lapse can be exchanged: only pairs that
 * were judged twice, or a given value, tell them apart, and the interval of e says so.
 * @param evidence pairs with their votes; or gaps r_chosen - r_rejected of pairs with one label each
 * @throws ClhaError (usage) for fewer than `minPairs` (200) prompts, or gaps that are mostly 0, when something must be fitted
 * @example
 * ```ts
 * calibrate([2, 1, -1], { temperature: 1, labelError: 0.25 }).pairs // 3
 * ```
 */
export function calibrate(
  evidence: ArrayLike<number> | Evidence,
  options: CalibrateOptions = {},
): Calibration {
  return calibrateTogether([{ evidence: 'gap' in evidence ? evidence : singleLabels(evidence) }], options)[0]
}

/** One scorer's pairs. */
export interface ScorerEvidence {
  evidence: Evidence
  /** What it is called in messages. */
  name?: string
}

/** As `calibrate`, for scorers that judged pairs labelled by the same people: one e, and T and lapse of each. */
export function calibrateTogether(
  scorers: readonly ScorerEvidence[],
  options: CalibrateOptions = {},
): Calibration[] {
  checkFixed(options)
  for (const { evidence, name = options.name } of scorers) checkEvidence(evidence, { ...options, name })
  const { temperature, labelError } = options
  const lapse = temperature === undefined ? options.lapse : (options.lapse ?? 0)
  // With T given and no label in sight, e is never used.
  const nothing = scorers.every(({ evidence }) => evidence.gap.length === 0)
  if (temperature !== undefined && (labelError !== undefined || nothing)) {
    const scale = { temperature, labelError: labelError ?? ASSUMED_LABEL_ERROR, lapse: lapse ?? 0 }
    return scorers.map(({ evidence }) => given(evidence, scale, options))
  }
  const fits = fitNoise(
    scorers.map(({ evidence }) => evidence),
    { labelError, lapse, temperatures: scorers.map(() => temperature) },
  )
  const votes = repeatedVotes(scorers.map(({ evidence }) => evidence))
  return scorers.map(({ evidence }, i) => ({ ...calibrationOf(evidence, fits[i], options), votes }))
}

function calibrationOf(
  evidence: Evidence,
  fit: Omit<NoiseFit, 'averaged'>,
  options: CalibrateOptions,
): Omit<Calibration, 'votes'> {
  const { labelErrorInterval: interval } = fit
  return {
    ...fit,
    pairs: evidence.gap.length,
    prompts: promptsOf(evidence),
    determined: interval === undefined || interval[1] - interval[0] <= NARROW,
    atBound: atBound(fit, medianGap(evidence), options),
    reliability: reliabilityTable(evidence, fit),
  }
}

function given(evidence: Evidence, scale: NoiseFit['plausible'][0], options: CalibrateOptions): Calibration {
  const certain = { plausible: [scale], possible: [scale], designEffect: 1 }
  return { ...calibrationOf(evidence, { ...scale, ...certain }, options), votes: repeatedVotes([evidence]) }
}

const promptsOf = ({ cluster, gap }: Evidence) => (cluster ? new Set(cluster).size : gap.length)

function checkFixed({ temperature, labelError, lapse }: CalibrateOptions): void {
  if (temperature !== undefined && !(temperature > 0 && Number.isFinite(temperature))) {
    throw usageError(`temperature is ${temperature}`, 'It is the unit of the reward and must be above 0.')
  }
  if (labelError !== undefined && !(labelError >= 0 && labelError < 0.5)) {
    throw usageError(`label_error is ${labelError}`, 'It is the share of wrong labels, in [0, 0.5).')
  }
  if (lapse !== undefined && !(lapse >= 0 && lapse < 0.5)) {
    throw usageError(`lapse is ${lapse}`, 'It is the share of pairs in which the reward fails, in [0, 0.5).')
  }
}

const WAYS =
  'Ways out: fix both `reward_temperature` (the reward gap worth odds of e to 1) and `label_error` (the share of wrong labels), as recipes/few-pairs.yaml does, or give it more labelled pairs.'

const WAYS_BY_PERPLEXITY =
  'Give it more labelled pairs, or take another `label_source`: for any but perplexity `reward_temperature` and `label_error` can be fixed, as recipes/few-pairs.yaml does.'

const named = (name?: string) => (name ? `calibration of ${name}` : 'calibration')

/**
 * What is known before there are rewards: whether so many labelled pairs are enough for what has to be fitted.
 * @param byPerplexity whether error and unit are read from perplexities, so that neither can be given
 * @throws ClhaError (usage) as `calibrate` does
 */
export function requirePairs(
  { pairs, prompts }: { pairs: number; prompts: number },
  options: CalibrateOptions,
  byPerplexity = false,
): void {
  const { minPairs = 200, temperature, labelError, name } = options
  if (temperature !== undefined && (labelError !== undefined || pairs === 0)) return
  if (prompts >= minPairs) return
  const what =
    pairs < minPairs
      ? `${pairs} labelled pairs, at least ${minPairs} are needed`
      : `${pairs} labelled pairs of ${prompts} prompts, at least ${minPairs} prompts are needed`
  throw usageError(`${named(name)}: ${what}`, byPerplexity ? WAYS_BY_PERPLEXITY : WAYS)
}

/** Refuses what cannot be fitted. */
function checkEvidence(evidence: Evidence, options: CalibrateOptions): void {
  const { temperature, name, labelError } = options
  const { gap } = evidence
  if (temperature !== undefined && (labelError !== undefined || gap.length === 0)) return
  if (gap.some((d) => !Number.isFinite(d)))
    throw usageError(`${named(name)}: a reward is not a finite number`)
  requirePairs({ pairs: gap.length, prompts: promptsOf(evidence) }, options)
  if (temperature === undefined && medianGap(evidence) === 0) {
    throw usageError(
      `${named(name)}: at least half of the ${gap.length} labelled pairs have equal rewards, so the reward has no unit`,
      `Check that the scorer sees the answers (a constant reward says nothing). ${WAYS}`,
    )
  }
}

function atBound(scale: Scale, median: number, options: CalibrateOptions): Calibration['atBound'] {
  const out: Calibration['atBound'] = []
  const near = (bound: number) => Math.abs(scale.temperature / (bound * median) - 1) < 1e-3
  if (options.temperature === undefined && TEMPERATURE_BOUNDS.some(near)) out.push('temperature')
  if (options.labelError === undefined && scale.labelError > ERROR_BOUNDS[1] - 1e-3) out.push('label_error')
  return out
}
