/** How far float32 may be off: by what the same computation in float64 moves when its weights are rounded as float32 rounds. */
import { createRandom } from '../../src/random.js'
import { f64, noGrad, ops, scope, type Tensor } from '../../src/tensor/index.js'
import { maxDifference } from '../fixtures.js'

/** Half a unit in the last place of float32. */
const HALF_ULP = 2 ** -24

/** In float32 every result is rounded, not the weights alone; and the largest of a few draws is not the largest of all. */
const ROUNDINGS = 32

const DRAWS = 3

type Weights = ReadonlyMap<string, Tensor>

/** Moves every weight (in float64) up or down by half a unit in float32's last place. */
export function roundWeights(weights: Weights, seed: number | string): void {
  const random = createRandom(seed)
  for (const weight of weights.values())
    noGrad(() =>
      scope(() => {
        const moved = weight.numbers().map((w) => w * (random.next() < 0.5 ? 1 + HALF_ULP : 1 - HALF_ULP))
        ops.copyInPlace(weight, f64(moved, weight.shape))
      }),
    )
}

/**
 * Below what 99 in 100 differences stay. The first steps of AdamW are close to the sign of the gradient: entries whose gradient is near
 * zero may go either way, in float32 as in float64 after a rounding, and the largest difference of all tells nothing.
 */
export function nearlyAll(found: readonly number[], wanted: readonly number[]): number {
  if (found.length !== wanted.length || found.length === 0) return Number.POSITIVE_INFINITY
  const sorted = found.map((x, i) => Math.abs(x - wanted[i])).sort((a, b) => a - b)
  return sorted.some(Number.isNaN) ? Number.NaN : sorted[Math.floor(0.99 * (sorted.length - 1))]
}

/** How far two results of a name are apart: of parameters after AdamW as above, else the largest difference. */
export const distance = (name: string, found: readonly number[], wanted: readonly number[]): number =>
  name.startsWith('parameters') ? nearlyAll(found, wanted) : maxDifference(found, wanted)

/**
 * @param compute results in float64, by name; with a seed, of weights that `roundWeights` moved
 * @returns for each name how far float32 may be off
 */
export async function float32Tolerances<T extends Record<string, readonly number[]>>(
  compute: (seed?: number) => T | Promise<T>,
): Promise<Record<keyof T, number>> {
  const exact = await compute()
  const tolerances: Record<string, number> = {}
  for (const [name, values] of Object.entries(exact))
    tolerances[name] = HALF_ULP * values.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  for (let seed = 1; seed <= DRAWS; seed++)
    for (const [name, values] of Object.entries(await compute(seed)))
      tolerances[name] = Math.max(tolerances[name], distance(name, values, exact[name]))
  for (const name of Object.keys(tolerances)) tolerances[name] *= ROUNDINGS
  return tolerances as Record<keyof T, number>
}
