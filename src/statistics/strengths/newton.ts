/** Newton's method on a convex function of few parameters. */
import { cholesky, solveFactored } from './positive-definite.js'

/** A function with its first and second derivatives at a point. `value` is infinite outside its domain. */
export interface Curvature {
  value: number
  gradient: Float64Array
  hessian: Float64Array[]
}

export interface Minimum extends Curvature {
  at: Float64Array
  /** Whether the last step could lower the function by less than 1e-12. */
  converged: boolean
}

const STEPS = 100
const SMALL = 1e-12

/** Steps are halved until they lower the function enough (Armijo 1966). */
export function minimize(start: ArrayLike<number>, look: (x: Float64Array) => Curvature): Minimum {
  let at = Float64Array.from(start)
  let here = look(at)
  for (let step = 0; step < STEPS; step++) {
    const factor = cholesky(here.hessian)
    if (!factor) break
    const move = solveFactored(factor, here.gradient)
    const gain = here.gradient.reduce((sum, g, i) => sum + g * move[i], 0)
    if (gain < SMALL) return { ...here, at, converged: true }
    const next = lineSearch(at, here.value, move, gain, look)
    if (!next) return { ...here, at, converged: gain < 1e-6 }
    at = next.at
    here = next.here
  }
  return { ...here, at, converged: false }
}

function lineSearch(
  at: Float64Array,
  value: number,
  move: Float64Array,
  gain: number,
  look: (x: Float64Array) => Curvature,
) {
  for (let size = 1; size > 1e-10; size /= 2) {
    const next = at.map((x, i) => x - size * move[i])
    const here = look(next)
    if (here.value <= value - 1e-4 * size * gain) return { at: next, here }
  }
  return undefined
}
