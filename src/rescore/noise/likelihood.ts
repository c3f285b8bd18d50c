/**
 * The likelihood of labels given rewards. The truth of a pair with gap d is that the first answer is better with
 * probability s(d) = lapse + (1 - 2 lapse) sg(d / T); each label is wrong with probability e, whatever the reward is.
 * So votes (u, v) have probability s (1 - e)^u e^v + (1 - s) e^u (1 - e)^v, but for a constant.
 */
import { logitOfLabel } from '../beliefs.js'
import type { Evidence } from './evidence.js'

/** [e, lapse, ln T] */
export type Point = [labelError: number, lapse: number, logT: number]

/** In place of 0, so that what is impossible is only very unlikely. */
const LEAST = 1e-300
const LEAST_ERROR = 1e-12

/** Log-likelihood in nats. */
export function logLikelihood({ gap, up, down, weight }: Evidence, [error, lapse, logT]: Point): number {
  const e = Math.max(LEAST_ERROR, error)
  const rate = Math.exp(-logT)
  const [right, wrong] = [Math.log(1 - e), Math.log(e)]
  let sum = 0
  for (let i = 0; i < gap.length; i++) {
    const s = lapse + (1 - 2 * lapse) / (1 + Math.exp(-gap[i] * rate))
    if (up[i] === 1 && down[i] === 0) sum += weight[i] * Math.log(Math.max(LEAST, e + (1 - 2 * e) * s))
    else {
      const [a, b] = [up[i] * right + down[i] * wrong, up[i] * wrong + down[i] * right]
      const most = Math.max(a, b)
      sum +=
        weight[i] * (most + Math.log(Math.max(LEAST, s * Math.exp(a - most) + (1 - s) * Math.exp(b - most))))
    }
  }
  return sum
}

/** Derivative of one row's log-likelihood, written into `out`. */
export function rowScore(
  { gap, up, down }: Evidence,
  i: number,
  [error, lapse, logT]: Point,
  out: Float64Array,
): void {
  const e = Math.max(LEAST_ERROR, error)
  const x = gap[i] * Math.exp(-logT)
  const sigma = 1 / (1 + Math.exp(-x))
  const s = lapse + (1 - 2 * lapse) * sigma
  const [u, v] = [up[i], down[i]]
  // Over their larger one, so that many votes do not vanish.
  const odds = (u - v) * logitOfLabel(e)
  const [a, b] = [Math.exp(Math.min(0, odds)), Math.exp(Math.min(0, -odds))]
  const p = Math.max(LEAST, s * a + (1 - s) * b)
  const da = a * (v / e - u / (1 - e))
  const db = b * (u / e - v / (1 - e))
  out[0] = (s * da + (1 - s) * db) / p
  out[1] = ((a - b) * (1 - 2 * sigma)) / p
  out[2] = (-(a - b) * (1 - 2 * lapse) * sigma * (1 - sigma) * x) / p
}
