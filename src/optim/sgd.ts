/** Stochastic gradient descent with momentum, as torch.optim.SGD: weight decay is part of the gradient. */
import { ops, type Tensor } from '../tensor/index.js'
import { type Optimizer, oneMoment } from './one-moment.js'

export interface SgdOptions {
  momentum: number
  weightDecay: number
}

/** State: `momentum_buffer.<name>` of each parameter, in its shape. */
export const createSgd = (
  parameters: Iterable<readonly [string, Tensor]>,
  { momentum, weightDecay }: SgdOptions,
): Optimizer =>
  oneMoment(parameters, 'momentum_buffer', (parameter, gradient, buffer, learningRate) => {
    ops.mulScalarInPlace(buffer, momentum)
    ops.addInPlace(buffer, ops.add(gradient, parameter, weightDecay))
    ops.addInPlace(parameter, buffer, -learningRate)
  })
