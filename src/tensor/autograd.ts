/** Gradients: recording on and off, backward, and the gradients of a list of tensors. */
import { native } from './native.js'
import { type Tensor, wrap } from './tensor.js'

/** Runs `fn` without recording; the mode comes back even when `fn` throws. */
export function noGrad<T>(fn: () => T): T {
  const before = native().setGradEnabled(false)
  try {
    return fn()
  } finally {
    native().setGradEnabled(before)
  }
}

/** Runs `fn` with recording on, whatever the mode outside. */
export function withGrad<T>(fn: () => T): T {
  const before = native().setGradEnabled(true)
  try {
    return fn()
  } finally {
    native().setGradEnabled(before)
  }
}

/**
 * Adds d(root)/d(leaf) to the gradient of every leaf that requires one. `root` is a scalar unless `seed` is given.
 * @example
 * ```ts
 * const x = requiresGrad(f32([3]))
 * backward(ops.sum(ops.mul(x, x)))
 * gradOf(x)?.numbers() // [6]
 * ```
 */
export function backward(root: Tensor, seed?: Tensor): void {
  native().backward(root.handle, seed?.handle)
}

/**
 * d(outputs)/d(inputs); undefined where an output does not depend on the input.
 * @example
 * ```ts
 * const x = requiresGrad(f32([3]))
 * gradients([ops.sum(ops.mul(x, x))], [x])[0]?.numbers() // [6]
 * ```
 */
export function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  seeds?: readonly Tensor[],
): (Tensor | undefined)[] {
  const handles = native().gradients(
    outputs.map((t) => t.handle),
    inputs.map((t) => t.handle),
    seeds?.map((t) => t.handle),
  )
  return handles.map((h) => (h === null ? undefined : wrap(h, 'gradients')))
}

export function requiresGrad<T extends Tensor>(tensor: T, value = true): T {
  native().requiresGrad(tensor.handle, value)
  return tensor
}

/** The accumulated gradient, if any. */
export function gradOf(tensor: Tensor): Tensor | undefined {
  const handle = native().gradOf(tensor.handle)
  return handle === null ? undefined : wrap(handle, 'gradOf')
}

/** Replaces, or with no second argument clears, the accumulated gradient. */
export function setGrad(tensor: Tensor, grad?: Tensor): void {
  native().setGrad(tensor.handle, grad?.handle)
}
