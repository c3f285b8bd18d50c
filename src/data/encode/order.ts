/** The order of the data: a pure function of seed, epoch and step, so that a resumed run sees what it would have seen. */
import { createRandom } from '../../random.js'

/** A permutation of 0 .. n-1. */
export function epochOrder(n: number, seed: number, epoch: number): Uint32Array {
  const random = createRandom(`order:${seed}:${epoch}`)
  const order = Uint32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = random.int(i + 1)
    const held = order[i]
    order[i] = order[j]
    order[j] = held
  }
  return order
}

/** Optimizer steps in one epoch; the last may be smaller, none is dropped. */
export const stepsPerEpoch = (n: number, batchSize: number) => Math.ceil(n / batchSize)

// One epoch's order is remembered: consecutive steps ask for the same one.
let remembered: { n: number; seed: number; epoch: number; order: Uint32Array } = {
  n: -1,
  seed: 0,
  epoch: 0,
  order: new Uint32Array(),
}

/** The examples of optimizer step `step` (from 0), counted over all epochs. */
export function stepIndices(
  n: number,
  batchSize: number,
  seed: number,
  step: number,
): { epoch: number; indices: Uint32Array } {
  const perEpoch = stepsPerEpoch(n, batchSize)
  const epoch = Math.floor(step / perEpoch)
  if (remembered.n !== n || remembered.seed !== seed || remembered.epoch !== epoch) {
    remembered = { n, seed, epoch, order: epochOrder(n, seed, epoch) }
  }
  const start = (step % perEpoch) * batchSize
  return { epoch, indices: remembered.order.slice(start, start + batchSize) }
}
