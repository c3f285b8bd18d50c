/** RMSprop as torch.optim.RMSprop, without momentum: what the DPO paper trained with. */
import { ops, type Tensor } from '../tensor/index.js'
import { type Optimizer, oneMoment } from './one-moment.js'

export interface RmspropOptions {
  /** Decay of the mean of squares. */
  alpha: number
  epsilon: number
}

/** State: `square_avg.<name>` of each parameter, in its shape. */
export const createRmsprop = (
  parameters: Iterable<readonly [string, Tensor]>,
  { alpha, epsilon }: RmspropOptions,
): Optimizer =>
  oneMoment(parameters, 'square_avg', (parameter, gradient, square, learningRate) => {
    ops.mulScalarInPlace(square, alpha)
    ops.addInPlace(square, ops.square(gradient), 1 - alpha)
    ops.addInPlace(parameter, ops.div(gradient, ops.addScalar(ops.sqrt(square), epsilon)), -learningRate)
  })
