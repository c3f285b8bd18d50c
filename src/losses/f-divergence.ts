/**
 * f-DPO: the score of an answer under another divergence than the reverse KL, f'(u) with u = pi / pi_ref = exp D.
 * arXiv 2309.16240, table 1. Constants that cancel in a difference are left out.
 */
import { ops, type Tensor } from '../tensor/index.js'
import { boundedExp } from './math.js'

export type DivergenceName = 'reverse_kl' | 'forward_kl' | 'js_divergence' | 'alpha_divergence'

export interface Divergence {
  name: DivergenceName
  /** Of the alpha divergence; not 0. */
  alpha: number
}

/** D for the reverse KL (ln u), -1/u for the forward KL, ln(2u / (1 + u)) for JS, (1 - u^-alpha) / alpha. */
export function divergenceScore(ratio: Tensor, divergence?: Divergence): Tensor {
  switch (divergence?.name) {
    case 'forward_kl':
      return ops.neg(boundedExp(ops.neg(ratio)))
    case 'js_divergence':
      return ops.logSigmoid(ratio)
    case 'alpha_divergence':
      return ops.mulScalar(boundedExp(ops.mulScalar(ratio, -divergence.alpha)), -1 / divergence.alpha)
    default:
      return ratio
  }
}
