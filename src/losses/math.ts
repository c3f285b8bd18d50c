/** Functions that several losses need, finite however extreme the log-probabilities. */
import { ops, type Tensor } from '../tensor/index.js'

/** -ln sigmoid(x), with labels that are wrong with probability `smoothing`: (1 - e) l(x) + e l(-x). */
export function logistic(x: Tensor, smoothing = 0): Tensor {
  const loss = ops.neg(ops.logSigmoid(x))
  if (smoothing === 0) return loss
  const flipped = ops.neg(ops.logSigmoid(ops.neg(x)))
  return ops.add(ops.mulScalar(loss, 1 - smoothing), ops.mulScalar(flipped, smoothing))
}

/** No log-probability is this small; it moves the kink of `hinge` off 0. */
const TINY = 1e-30

/** max(0, x), with gradient 0 at x = 0 (as relu): a policy that equals its reference is not pushed. */
export const hinge = (x: Tensor): Tensor => ops.addScalar(ops.clampMin(x, TINY), -TINY)

/** e^x up to e^80, which f32 still holds; beyond that it is constant. */
export const boundedExp = (x: Tensor): Tensor => ops.exp(ops.clampMax(x, 80))

/** 1 - x. */
export const oneMinus = (x: Tensor): Tensor => ops.addScalar(ops.neg(x), 1)
