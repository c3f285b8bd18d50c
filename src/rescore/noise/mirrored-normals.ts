/** PerpCorrect (NeurIPS 2024): how much perplexities of a language model tell of labels, by two mirrored normals. */
import { usageError } from '../../errors.js'
import { mean } from '../../statistics/statistics.js'
import { ERROR_BOUNDS, type Noise } from './fit-noise.js'

export interface MirroredNormals {
  /** Share of the right labels. */
  alpha: number
  /** Of the gaps of right labels; wrong labels have the same below 0. */
  mu: number
  sigma: number
}

const STEPS = 2000
const SETTLED = 1e-13

/**
 * Most likely alpha N(mu, sigma) + (1 - alpha) N(-mu, sigma), by EM; alpha in [0.505, 0.998]. Where PerpCorrect fits the
 * density of PPLDiff by least squares on a histogram, this is the maximum of the same mixture's likelihood.
 * @param gaps ln PPL(rejected) - ln PPL(chosen): PPLDiff with its sign turned, so that right labels lie above 0
 * @throws ClhaError (usage) where chosen answers are no likelier than rejected ones, so that no such mu exists
 */
export function mirroredNormals(gaps: readonly number[]): MirroredNormals {
  const squares = mean(gaps.map((d) => d * d))
  let alpha = 0.75
  let mu = Math.sqrt(squares / 2)
  let sigma = mu
  for (let step = 0; step < STEPS; step++) {
    const right = gaps.map((d) => 1 / (1 + ((1 - alpha) / alpha) * Math.exp((-2 * mu * d) / sigma ** 2)))
    const next = Math.min(1 - ERROR_BOUNDS[0], Math.max(0.505, mean(right)))
    const middle = mean(gaps.map((d, i) => (2 * right[i] - 1) * d))
    const moved = Math.abs(next - alpha) + Math.abs(middle - mu) / Math.sqrt(squares)
    ;[alpha, mu, sigma] = [next, middle, Math.sqrt(Math.max(1e-6 * squares, squares - middle ** 2))]
    if (moved < SETTLED) break
  }
  if (mu > 0 && mean(gaps) > 0 && Number.isFinite(sigma)) return { alpha, mu, sigma }
  throw usageError(
    'label_source: perplexity: the model finds chosen answers no likelier than rejected ones',
    'Train the surrogate on pairs whose labels are sure first (docs/rewards.md#input-formats), or take another label_source.',
  )
}

/**
 * The same as log-odds: ln(alpha / (1 - alpha)) + 2 mu d / sigma^2 that a label is right, whose parts are those of a
 * label with error 1 - alpha and of a reward with unit sigma^2 / (2 mu).
 */
export const noiseOfNormals = ({ alpha, mu, sigma }: MirroredNormals): Noise => ({
  labelError: 1 - alpha,
  lapse: 0,
  temperature: sigma ** 2 / (2 * mu),
})
