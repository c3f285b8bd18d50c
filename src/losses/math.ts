/** Functions that several losses need, finite however extreme the log-probabilities. */
import { ops, type Tensor } from '../tensor/index.js'

/** -ln sigmoid(x), with labels that are wrong with probability `smoothing`: (1 - e) l(x) + e l(-x). */
export function logistic(x: Tensor, smoothing = 0): Tensor {
  const loss = ops.neg(ops.logSigmoid(x))
  if (smoothing === 0) return loss
  const flipped = ops.neg(ops.logSigmoid(ops.neg(x)))
  return ops.add(ops.mulScalar(loss, 1 - smoothing), ops.mulScalar(flipped, smoothing))
}

/** max(0, x), with gradient 0 at x = 0: a policy that equals its reference is not pushed. */
export const hinge = ops.relu

/** max(0, x), with gradient 1 at x = 0. clamp_min has 0 there from libtorch 2.14 on. */
export const closedHinge = (x: Tensor): Tensor => ops.add(x, ops.relu(ops.neg(x)))

/** e^x up to e^80, which f32 still holds; beyond that it is constant. */
export const boundedExp = (x: Tensor): Tensor => ops.exp(ops.clampMax(x, 80))

/** 1 - x. */
export const oneMinus = (x: Tensor): Tensor => ops.addScalar(ops.neg(x), 1)
