/** Win rate as it would be if both answers were equally long (Dubois et al. 2024), for any set of prompts. */
import { clusteredEstimate, clustersOf } from './clustered.js'
import type { Estimate, Interval } from './estimate.js'
import { groupBy } from './group-by.js'
import { type BootstrapOptions, cautiousRate } from './intervals.js'
import { clusterBootstrap } from './resample.js'
import { logit, logSigmoid, mean, sigmoid } from './statistics.js'
import { type Curvature, minimize } from './strengths/newton.js'
import { cholesky, solveFactored } from './strengths/positive-definite.js'

export interface LengthRow {
  prompt: string
  /** Who gave the score; left out where one did. */
  rater?: string
  /** 1 where the system won, 0 where the baseline did, one half for a tie; any probability. */
  score: number
  /** Length of the system's answer minus that of the baseline's. */
  longer: number
}

export interface LengthControlled extends Estimate {
  /** The win rate at equal length, 0 to 1. */
  value: number
  /** The win rate as it is. */
  raw: number
  /** Logits that an answer much longer than the other one gets for that. */
  lengthEffect: number
  /** Control moves the rate by more than 10 points. */
  moves: boolean
}

/** Ridge on the length effect: keeps it finite where length decides everything, and moves it little where it does not. */
const RIDGE = 0.1
const MUCH = 0.1

/**
 * Fits logit P(win) = theta + phi tanh(longer / sd), sd of `longer` over the rows; theta is free, phi has a ridge of 0.1.
 * The rate at equal length is sg(theta). Interval: whole prompts are resampled, and all of it fitted again; of several
 * raters by two-way clustered errors of theta, so that it is one for other raters as well. Where fewer than five prompts
 * were won, or lost, Wilson's interval around the rate is taken where it reaches further.
 * @returns undefined where one side is always the longer one: system and length can't be told apart then
 * @throws RangeError without rows
 */
export function lengthControlled(
  rows: readonly LengthRow[],
  options: BootstrapOptions = {},
): LengthControlled | undefined {
  if (rows.length === 0) throw new RangeError('lengthControlled: no rows')
  if (rows.every(({ longer }) => longer > 0) || rows.every(({ longer }) => longer < 0)) return undefined
  const fit = controlled(rows)
  const { rate, effect } = fit
  const found = raterInterval(rows, fit) ?? promptInterval(rows, options)
  const interval = found && cautiousRate(found, { value: rate, ...promptsDecided(rows) })
  const raw = mean(rows.map(({ score }) => score))
  return {
    value: rate,
    ...(interval && { interval }),
    raw,
    lengthEffect: effect,
    moves: Math.abs(rate - raw) > MUCH,
  }
}

/** A prompt on which raters part is both won and lost, as in `clusteredRate`. */
function promptsDecided(rows: readonly LengthRow[]): { prompts: number; won: number; lost: number } {
  const promptsOf = (some: readonly LengthRow[]) => new Set(some.map(({ prompt }) => prompt)).size
  return {
    prompts: promptsOf(rows),
    won: promptsOf(rows.filter(({ score }) => score > 0.5)),
    lost: promptsOf(rows.filter(({ score }) => score < 0.5)),
  }
}

function promptInterval(rows: readonly LengthRow[], options: BootstrapOptions): Interval | undefined {
  const prompts = [...groupBy(rows, ({ prompt }) => prompt).values()]
  const rateOf = (drawn: Int32Array) => controlled(Array.from(drawn, (i) => prompts[i]).flat()).rate
  return clusterBootstrap(prompts.length, rateOf, options)
}

/** Of fewer than two raters, and where all won or all lost, there is none. */
function raterInterval(rows: readonly LengthRow[], { theta, influence }: Controlled): Interval | undefined {
  const raters = rows.map(({ rater }) => rater ?? '')
  if (influence === undefined || new Set(raters).size < 2) return undefined
  const clusters = clustersOf(
    rows.map(({ prompt }) => prompt),
    raters,
  )
  const { interval } = clusteredEstimate(theta, influence, clusters)
  return interval && [sigmoid(interval[0]), sigmoid(interval[1])]
}

interface Controlled {
  theta: number
  rate: number
  effect: number
  /** What each row moves theta by. */
  influence?: Float64Array
}

/** All wins, or all losses, have no finite theta: the rate is then what it is. */
function controlled(rows: readonly LengthRow[]): Controlled {
  const raw = mean(rows.map(({ score }) => score))
  if (raw === 0 || raw === 1)
    return { theta: raw === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY, rate: raw, effect: 0 }
  const average = mean(rows.map(({ longer }) => longer))
  const deviation = Math.sqrt(mean(rows.map(({ longer }) => (longer - average) ** 2)))
  const x = rows.map(({ longer }) => (deviation > 0 ? Math.tanh(longer / deviation) : 0))
  const scores = rows.map(({ score }) => score)
  const { at, hessian } = minimize([logit(raw), 0], (at) => lossOf(at, x, scores))
  const [theta, effect] = at
  const factor = cholesky(hessian)
  if (!factor) return { theta, rate: sigmoid(theta), effect }
  const [d0, d1] = solveFactored(factor, [1, 0])
  const influence = Float64Array.from(
    x,
    (xi, i) => (scores[i] - sigmoid(theta + effect * xi)) * (d0 + d1 * xi),
  )
  return { theta, rate: sigmoid(theta), effect, influence }
}

/** Negative log-likelihood with the ridge. */
function lossOf([theta, phi]: Float64Array, x: readonly number[], scores: readonly number[]): Curvature {
  let value = (RIDGE * phi * phi) / 2
  let [g0, g1, h00, h01, h11] = [0, RIDGE * phi, 0, 0, RIDGE]
  for (let i = 0; i < x.length; i++) {
    const z = theta + phi * x[i]
    const y = scores[i]
    const p = sigmoid(z)
    const curve = p * (1 - p)
    value -= y * logSigmoid(z) + (1 - y) * logSigmoid(-z)
    g0 += p - y
    g1 += (p - y) * x[i]
    h00 += curve
    h01 += curve * x[i]
    h11 += curve * x[i] * x[i]
  }
  const hessian = [Float64Array.of(h00, h01), Float64Array.of(h01, h11)]
  return { value, gradient: Float64Array.of(g0, g1), hessian }
}
