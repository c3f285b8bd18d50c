/** A linear map of a block: weight and bias, and the change that an adapter makes to it. */
import { ops, type Tensor } from '../tensor/index.js'
import { addLora, type Lora } from './lora.js'

export interface Projection {
  /** [out, in]; where there is a scale int8, or bytes of two codes: [out, in / 2] */
  weight: Tensor
  /** [out] f32: a row of the weight stands for as many times its numbers; or [out, blocks of 64] bf16, of the numbers of NF4. */
  scale?: Tensor
  /** [out] */
  bias?: Tensor
  lora?: Lora
}

/** [out, in] of a weight, also where a byte holds two of its numbers. */
export const shapeOf = ({ shape, dtype }: Tensor): number[] =>
  dtype === 'u8' ? [shape[0], 2 * shape[1]] : shape

/**
 * x @ weight^T + bias, [T, in] -> [T, out], with what the adapter adds. The type of x is that of the products: an x that was
 * rounded to bf16 makes them in bf16 beside f32 weights, and the result is f32 again (on a GPU: stays bf16).
 */
export function project(x: Tensor, { weight, scale, bias, lora }: Projection): Tensor {
  const y = scale ? ops.linearQuantized(x, weight, scale, bias ?? null) : ops.linear(x, weight, bias ?? null)
  return lora ? addLora(y, x, lora) : y
}
