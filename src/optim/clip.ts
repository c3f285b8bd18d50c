/** Gradient clipping by the global norm, with one wait for the device. */
import { gradOf, noGrad, ops, scope, type Tensor } from '../tensor/index.js'

/**
 * Scales all gradients so that their global L2 norm is at most `maxNorm` (0 leaves them as they are).
 * @returns the norm before clipping; not finite when a gradient is not
 */
export function clipGradients(parameters: Iterable<Tensor>, maxNorm: number): number {
  return noGrad(() =>
    scope(() => {
      const grads = Array.from(parameters, gradOf).filter((g) => g !== undefined)
      if (grads.length === 0) return 0
      const norms = ops.foreachNorm(grads)
      const norm = Math.sqrt(ops.sum(ops.square(ops.stack(norms))).item())
      const scale = maxNorm / (norm + 1e-6)
      if (maxNorm > 0 && scale < 1) ops.foreachMulInPlace(grads, scale)
      return norm
    }),
  )
}
