/** How far float32 may be off: by what the same computation in float64 moves when its weights are rounded as float32 rounds. */
import { createRandom } from '../../src/random.js'
import { f64, ops, scope, type Tensor } from '../../src/tensor/index.js'
import { maxDifference } from '../fixtures.js'

/** Half a unit in the last place of float32. */
const HALF_ULP = 2 ** -24

/** In float32 every result is rounded, not the weights alone; and the largest of a few draws is not the largest of all. */
const ROUNDINGS = 16

const DRAWS = 3

type Weights = ReadonlyMap<string, Tensor>

/** Moves every weight (in float64) up or down by half a unit in float32's last place. */
export function roundWeights(weights: Weights, seed: number): void {
  const random = createRandom(seed)
  for (const weight of weights.values())
    scope(() => {
      const moved = weight.numbers().map((w) => w * (random.next() < 0.5 ? 1 + HALF_ULP : 1 - HALF_ULP))
      ops.copyInPlace(weight, f64(moved, weight.shape))
    })
}

/**
 * @param compute results in float64, by name; with a seed, of weights that `roundWeights` moved
 * @returns for each name the largest difference that float32 may show
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
      tolerances[name] = Math.max(tolerances[name], maxDifference(values, exact[name]))
  for (const name of Object.keys(tolerances)) tolerances[name] *= ROUNDINGS
  return tolerances as Record<keyof T, number>
}
