/** Activations of the MLP, and the soft cap of scores and logits. */
import { ops, type Tensor } from '../tensor/index.js'

export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'relu'

const FUNCTIONS: Record<Activation, (x: Tensor) => Tensor> = {
  silu: ops.silu,
  gelu: (x) => ops.gelu(x),
  gelu_tanh: (x) => ops.gelu(x, 'tanh'),
  relu: ops.relu,
}

/** Element by element, any shape. */
export const activate = (x: Tensor, activation: Activation): Tensor => FUNCTIONS[activation](x)

/** activation(gate) * up, [T, F] and [T, F] -> [T, F], in one operator where there is one */
export function gated(gate: Tensor, up: Tensor, activation: Activation): Tensor {
  if (activation === 'silu') return ops.swiglu(gate, up)
  if (activation === 'gelu_tanh') return ops.geglu(gate, up)
  return ops.mul(activate(gate, activation), up)
}

/** cap * tanh(x / cap), any shape: nearly x where x is small, never beyond the cap. */
export const softcap = (x: Tensor, cap: number): Tensor =>
  ops.mulScalar(ops.tanh(ops.mulScalar(x, 1 / cap)), cap)
