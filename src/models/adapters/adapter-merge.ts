/** An adapter made one with its base, and how far the two then differ. */

import { singleSequence } from '../../nn/layout.js'
import { createRandom } from '../../random.js'
import { noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import { borrowing } from '../decoder/borrowed.js'
import { assembleDecoder, type Decoder, decode, logits, rewards } from '../decoder/decoder.js'
import { requireWideWeights } from '../decoder/quantized.js'

/**
 * A plain decoder with W + scale B A in place of each adapted W, computed in f32 (f64 for an f64 model). What the adapter
 * leaves alone is shared with `model`, which has to outlive what comes out.
 * @throws ClhaError (exit 2) for a base in 8 or 4 bits
 */
export function mergeAdapter(model: Decoder): Decoder {
  const { adapter } = model
  if (!adapter) throw new Error('the model has no adapter to merge')
  requireWideWeights(model, 'an adapter is not merged into them')
  const weights = new Map(model.weights)
  for (const [module, { a, b, scale }] of adapter.maps) {
    const name = `${module}.weight`
    const base = model.weights.get(name) as Tensor
    const merged = noGrad(() =>
      scope(() => {
        const wide = ops.to(base, a.dtype)
        return ops.to(ops.add(wide, ops.mm(b, a), scale), base.dtype) // [out, r] x [r, in] -> [out, in]
      }),
    )
    weights.set(name, merged)
  }
  const { config, head, hfConfig, dtype } = model
  return borrowing(assembleDecoder({ config, head, hfConfig, weights, dtype }), model)
}

export interface Difference {
  /** Largest absolute difference of two logits (or rewards). */
  largest: number
  /** Largest absolute logit (or reward), to compare it with. */
  scale: number
  tokens: number
}

/** Random sequences, the same for every model of a vocabulary. */
const SEQUENCES = 4
const LENGTH = 48

/** Runs a few random sequences through two models of one base. */
export function largestDifference(one: Decoder, other: Decoder): Difference {
  const random = createRandom('merge')
  const length = Math.min(LENGTH, one.config.maxPositions)
  const found: Difference = { largest: 0, scale: 0, tokens: SEQUENCES * length }
  for (let i = 0; i < SEQUENCES; i++) {
    const ids = Array.from({ length }, () => random.int(one.config.vocabSize))
    noGrad(() =>
      scope(() => {
        const [a, b] = [outputs(one, ids), outputs(other, ids)]
        const far = ops.max(ops.abs(ops.sub(a, b))).item()
        // NaN is never larger than anything: it must not pass for no difference.
        found.largest = Number.isNaN(far) ? Number.NaN : Math.max(found.largest, far)
        found.scale = Math.max(found.scale, ops.max(ops.abs(a)).item())
      }),
    )
  }
  return found
}

function outputs(model: Decoder, ids: number[]): Tensor {
  const stream = singleSequence(ids)
  const hidden = decode(model, stream)
  return model.head === 'reward' ? rewards(model, hidden) : logits(model, hidden)
}
