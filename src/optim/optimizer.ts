/** The optimizers by name. */
import type { Tensor } from '../tensor/index.js'
import { type AdamWOptions, createAdamW } from './adamw.js'
import type { Optimizer } from './one-moment.js'
import { createRmsprop, type RmspropOptions } from './rmsprop.js'
import { createSgd, type SgdOptions } from './sgd.js'

export type { Optimizer }

export type OptimizerOptions =
  | ({ name: 'adamw' } & AdamWOptions)
  | ({ name: 'rmsprop' } & RmspropOptions)
  | ({ name: 'sgd' } & SgdOptions)

/** @param parameters by name; state is kept under these names */
export function createOptimizer(
  parameters: Iterable<readonly [string, Tensor]>,
  options: OptimizerOptions,
): Optimizer {
  if (options.name === 'rmsprop') return createRmsprop(parameters, options)
  if (options.name === 'sgd') return createSgd(parameters, options)
  return createAdamW(parameters, options)
}
