/** An adapter made one with its base, and how far the two then differ. */

import { singleSequence } from '../../nn/layout.js'
import { createRandom } from '../../random.js'
import { noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import { borrowing } from '../decoder/borrowed.js'
import { assembleDecoder, type Decoder, decode, logits, rewards } from '../decoder/decoder.js'
import { requireWideWeights } from '../decoder/quantized.js'
import { decoderConfig } from '../families/families.js'
import { vocabularyModules } from './adapter-targets.js'

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
  const { embedding, head: headModule } = vocabularyModules(model)
  const apart =
    model.config.tieWordEmbeddings && [embedding, headModule].some((name) => name && adapter.maps.has(name))
  // A map on one side of a matrix that is embedding and head: from here on there are two.
  if (apart)
    weights.set(
      `${headModule}.weight`,
      noGrad(() => ops.clone(weights.get(`${embedding}.weight`) as Tensor)),
    )
  for (const [module, { a, b, scale, table }] of adapter.maps) {
    const name = `${module}.weight`
    const base = weights.get(name) as Tensor
    const merged = noGrad(() =>
      scope(() => {
        const wide = ops.to(base, a.dtype)
        const change = ops.mm(b, a) // [out, r] x [r, in] -> [out, in]; of an embedding [D, V]
        return ops.to(ops.add(wide, table ? ops.transpose(change, 0, 1) : change, scale), base.dtype)
      }),
    )
    if (apart && module === headModule) base.dispose()
    weights.set(name, merged)
  }
  const { head, dtype } = model
  const hfConfig = apart ? { ...model.hfConfig, tie_word_embeddings: false } : model.hfConfig
  const config = apart ? decoderConfig(hfConfig) : model.config
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
