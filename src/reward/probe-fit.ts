/**
 * Bradley-Terry regression on features of answers: the log-odds that one answer is better is linear in the difference of the
 * two. Weights have a normal prior, whose width is chosen by the log loss on pairs held out by prompt.
 */
import { mean } from '../statistics/statistics.js'
import { i64, noGrad, ops, scope, type Tensor } from '../tensor/index.js'

export interface PairFeatures {
  /** The better answer's features minus the worse one's, [N, F] in f64. */
  differences: Tensor
  /** Pairs of one prompt have the same group, one of `GROUPS`. */
  groups: ArrayLike<number>
}

export interface ProbeFit {
  /** Of the features as they are, [F]: rewards are log-odds. */
  weights: Float32Array
  /** Standard deviation of a pair's log-odds before it was seen. */
  priorScale: number
}

/** Parts that the pairs are held out in, to choose the prior. */
export const GROUPS = 5
/** From labels that say next to nothing to labels that are nearly always as the features say. */
const PRIOR_SCALES = [1 / 4, 1 / 2, 1, 2, 4]

/** Labels without a pattern get the narrowest prior: rewards near 0. */
export function fitProbe({ differences, groups }: PairFeatures): ProbeFit {
  return noGrad(() =>
    scope(() => {
      const scale = spreadOf(differences)
      const x = ops.div(differences, scale)
      const losses = heldOutLosses(x, groups)
      const priorScale = PRIOR_SCALES[losses.indexOf(Math.min(...losses))]
      const weights = ops.div(solve(x, precisionOf(x, priorScale)), scale)
      return { weights: Float32Array.from(weights.numbers()), priorScale }
    }),
  )
}

/** Root mean square of each feature over the pairs; 1 for one that never differs. */
function spreadOf(differences: Tensor): Tensor {
  const spread = ops.sqrt(ops.meanDim(ops.square(differences), [0]))
  return ops.where(ops.eq(spread, ops.zerosLike(spread)), ops.full([], 1, 'f64'), spread)
}

/** With F features of spread 1, weights of variance s² / F make log-odds of variance s². */
const precisionOf = (x: Tensor, priorScale: number): number => x.shape[1] / priorScale ** 2

/** Mean log loss of held-out pairs under each prior; ln 2 where nothing can be held out. */
function heldOutLosses(x: Tensor, groups: ArrayLike<number>): number[] {
  const rows = (wanted: (group: number) => boolean) =>
    i64(Array.from(groups, (group, row) => (wanted(group) ? row : -1)).filter((row) => row >= 0))
  const all = PRIOR_SCALES.map((): number[] => [])
  for (let group = 0; group < GROUPS; group++)
    scope(() => {
      const [seen, held] = [rows((g) => g !== group), rows((g) => g === group)]
      if (seen.shape[0] === 0 || held.shape[0] === 0) return
      const [train, test] = [seen, held].map((which) => ops.indexSelect(x, 0, which))
      let weights: Tensor | undefined
      for (const [i, priorScale] of PRIOR_SCALES.entries()) {
        weights = solve(train, precisionOf(x, priorScale), weights)
        all[i].push(...ops.neg(ops.logSigmoid(times(test, weights))).numbers())
      }
    })
  return all.map((losses) => (losses.length > 0 ? mean(losses) : Math.LN2))
}

/** [N, F], [F] -> [N]. */
const times = (x: Tensor, w: Tensor): Tensor => ops.matmul(x, w)

/** [N, F], [N] -> [F]. */
const back = (x: Tensor, v: Tensor): Tensor => ops.matmul(ops.transpose(x, 0, 1), v)

const dot = (a: Tensor, b: Tensor): number => ops.sum(ops.mul(a, b)).numbers()[0]

const NEWTON_STEPS = 50
const TOLERANCE = 1e-6

/** The minimum of sum ln(1 + exp(-x w)) + precision / 2 |w|², by Newton's method; strongly convex, so there is one. */
function solve(x: Tensor, precision: number, start?: Tensor): Tensor {
  return scope(() => {
    let w = start ?? ops.zeros([x.shape[1]], 'f64')
    let value = objective(x, w, precision)
    for (let step = 0; step < NEWTON_STEPS; step++) {
      const wrong = ops.sigmoid(ops.neg(times(x, w)))
      const gradient = ops.sub(ops.mulScalar(w, precision), back(x, wrong))
      if (Math.sqrt(dot(gradient, gradient)) <= TOLERANCE * x.shape[0]) break
      const curvature = ops.mul(wrong, ops.addScalar(ops.neg(wrong), 1))
      const hessian = (v: Tensor) =>
        scope(() => ops.add(back(x, ops.mul(curvature, times(x, v))), v, precision))
      const found = lower(x, w, conjugateGradients(hessian, ops.neg(gradient)), precision, value)
      if (!found) break
      ;[w, value] = found
    }
    return w
  })
}

const objective = (x: Tensor, w: Tensor, precision: number): number =>
  scope(() => (precision / 2) * dot(w, w) - ops.sum(ops.logSigmoid(times(x, w))).numbers()[0])

/** The step, halved until it lowers the objective; undefined where rounding leaves nothing to gain. */
function lower(
  x: Tensor,
  w: Tensor,
  step: Tensor,
  precision: number,
  before: number,
): [Tensor, number] | undefined {
  for (let share = 1; share > 1e-6; share /= 2) {
    const next = ops.add(w, step, share)
    const value = objective(x, next, precision)
    if (value < before) return [next, value]
  }
  return undefined
}

/** Solves `matrix` v = b for a symmetric positive matrix that is only applied (Hestenes and Stiefel, 1952). */
function conjugateGradients(matrix: (v: Tensor) => Tensor, b: Tensor): Tensor {
  let v = ops.zerosLike(b)
  let [residual, direction] = [b, b]
  let size = dot(residual, residual)
  const enough = size * 1e-12
  for (let step = 0; step < b.shape[0] && size > enough; step++) {
    const image = matrix(direction)
    const length = size / dot(direction, image)
    v = ops.add(v, direction, length)
    residual = ops.sub(residual, image, length)
    const next = dot(residual, residual)
    direction = ops.add(residual, direction, next / size)
    size = next
  }
  return v
}
