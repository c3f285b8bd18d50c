/** A linear map of a block: weight and bias. */
import { ops, type Tensor } from '../tensor/index.js'

export interface Projection {
  /** [out, in] */
  weight: Tensor
  /** [out] */
  bias?: Tensor
}

/** x @ weight^T + bias, [T, in] -> [T, out] */
export const project = (x: Tensor, { weight, bias }: Projection): Tensor =>
  ops.linear(x, weight, bias ?? null)
