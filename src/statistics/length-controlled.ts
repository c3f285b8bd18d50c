/** Win rate as it would be if both answers were equally long (Dubois et al. 2024), for any set of prompts. */
import type { Estimate } from './estimate.js'
import { groupBy } from './group-by.js'
import type { BootstrapOptions } from './intervals.js'
import { clusterBootstrap } from './resample.js'
import { logSigmoid, mean, sigmoid } from './statistics.js'
import { minimize } from './strengths/newton.js'

export interface LengthRow {
  prompt: string
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
 * The rate at equal length is sg(theta). Interval: whole prompts are resampled, and all of it fitted again.
 * @throws RangeError without rows
 */
export function lengthControlled(
  rows: readonly LengthRow[],
  options: BootstrapOptions = {},
): LengthControlled {
  if (rows.length === 0) throw new RangeError('lengthControlled: no rows')
  const { rate, effect } = controlled(rows)
  const prompts = [...groupBy(rows, ({ prompt }) => prompt).values()]
  const interval = clusterBootstrap(
    prompts.length,
    (drawn) => controlled(Array.from(drawn, (i) => prompts[i]).flat()).rate,
    options,
  )
  const raw = mean(rows.map(({ score }) => score))
  return {
    value: rate,
    ...(interval && { interval }),
    ...{ raw, lengthEffect: effect, moves: Math.abs(rate - raw) > MUCH },
  }
}

/** All wins, or all losses, have no finite theta: the rate is then what it is. */
function controlled(rows: readonly LengthRow[]): { rate: number; effect: number } {
  const raw = mean(rows.map(({ score }) => score))
  if (raw === 0 || raw === 1) return { rate: raw, effect: 0 }
  const average = mean(rows.map(({ longer }) => longer))
  const deviation = Math.sqrt(mean(rows.map(({ longer }) => (longer - average) ** 2)))
  const x = rows.map(({ longer }) => (deviation > 0 ? Math.tanh(longer / deviation) : 0))
  const { at } = minimize([Math.log(raw / (1 - raw)), 0], ([theta, phi]) => {
    let value = (RIDGE * phi * phi) / 2
    let [g0, g1, h00, h01, h11] = [0, RIDGE * phi, 0, 0, RIDGE]
    for (let i = 0; i < rows.length; i++) {
      const z = theta + phi * x[i]
      const y = rows[i].score
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
  })
  return { rate: sigmoid(at[0]), effect: at[1] }
}
