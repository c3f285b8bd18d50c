/** RMSNorm and LayerNorm over the last dimension. */
import { type DType, ops, type Tensor } from '../tensor/index.js'

export interface NormKind {
  kind: 'rms' | 'layer'
  eps: number
  /** Gemma stores its gains less 1. */
  gainOffset?: number
  /** Without learned gain and bias. */
  plain?: boolean
}

export interface Gain {
  /** [D] */
  weight?: Tensor
  /** [D] */
  bias?: Tensor
}

/**
 * x / rms(x) * gain, or (x - mean(x)) / std(x) * gain + bias, [..., D] -> [..., D]
 * @param dtype what an RMSNorm is rounded to; x's own when left out
 */
export function norm(
  x: Tensor,
  { weight, bias }: Gain,
  { kind, eps, gainOffset }: NormKind,
  dtype?: DType,
): Tensor {
  if (kind === 'rms') return ops.rmsNorm(x, weight, eps, gainOffset, dtype)
  return ops.layerNorm(x, x.shape.slice(-1), weight ?? null, bias ?? null, eps)
}
