/** Numbers as a tensor of the scores' dtype: f64 stays f64, everything else is computed in f32. */
import { type DType, f32, f64, type Tensor } from '../tensor/index.js'

export function fromNumbers(values: readonly number[], dtype: DType): Tensor {
  return dtype === 'f64' ? f64(values) : f32(values)
}
