/** The largest micro-batch of a training, forward and backward, before its first step: memory that lacks is missed at once. */
import { stepIndices } from '../../data/encode/order.js'
import { trainableWeights, withDropout } from '../../models/adapters/adapter.js'
import { recomputing } from '../../models/decoder/recompute.js'
import { currentDevice, ops, scope, setGrad } from '../../tensor/index.js'
import { packStep, type TrainItem } from './items.js'
import type { LoopOptions } from './loop.js'
import type { Trainable } from './step.js'

/** Where in a training a micro-batch stands. */
export interface BatchPlace {
  step: number
  place: number
}

/**
 * Its gradients are thrown away, and neither weights nor anything that draws random numbers is touched: the training that
 * follows is the same as without. The loss is left out; beside the model it needs next to nothing.
 * @returns seconds
 */
export function rehearse(
  { model, objective, recompute }: Trainable,
  items: readonly TrainItem[],
  options: Pick<LoopOptions, 'batchSize' | 'seed' | 'maxTokens' | 'lastToken' | 'legacyGroupSize'>,
  { step, place }: BatchPlace,
): number {
  const { indices } = stepIndices(items.length, options.batchSize, options.seed, step)
  const { micro } = packStep(
    Array.from(indices, (i) => items[i]),
    options,
  )
  const batch = micro[Math.min(place, micro.length - 1)]
  const once = () => {
    const started = performance.now()
    try {
      withDropout(model, 'rehearsal', () =>
        recomputing(model, recompute, (backward) =>
          scope(() => {
            const total = ops.sum(objective.forward(model, batch).sum)
            backward(total)
            total.item() // waits for a device that works on its own
          }),
        ),
      )
    } finally {
      for (const weight of trainableWeights(model).values()) setGrad(weight)
    }
    return (performance.now() - started) / 1000
  }
  // A GPU loads its kernels when they are first called.
  if (currentDevice() !== 'cpu') once()
  return once()
}
