/** A model from a config alone, for training from scratch, and a reward head put on a trained backbone. */
import {
  allocate,
  type DType,
  Generator,
  noGrad,
  onDevice,
  ops,
  scope,
  type Tensor,
} from '../../tensor/index.js'
import { decoderConfig, rewardConfig } from '../families/families.js'
import { type HeadKind, type WeightSpec, weightSpecs } from '../folders/weights.js'
import { borrowing } from './borrowed.js'
import { assembleDecoder, type Decoder } from './decoder.js'
import type { HfConfig } from './decoder-config.js'
import { requireWideWeights } from './quantized.js'

function initial(spec: WeightSpec, std: number, generator: Generator, dtype: DType): Tensor {
  return scope(() => {
    if (spec.init !== 'normal') return ops.full(spec.shape, spec.init === 'ones' ? 1 : 0, dtype)
    // Drawn in f32 on the CPU whatever the dtype and device: one seed, one model.
    const drawn = onDevice(ops.normalInPlace(allocate(spec.shape), 0, std, generator))
    return dtype === 'f32' ? drawn : ops.to(drawn, dtype)
  })
}

/**
 * Normal(0, initializer_range) matrices, unit gains, zero biases, drawn in the order of the weights.
 * @example
 * ```ts
 * const sizes = { hidden_size: 8, intermediate_size: 16, num_hidden_layers: 2, num_attention_heads: 2, vocab_size: 64 }
 * const model = initModel({ model_type: 'llama', max_position_embeddings: 32, rms_norm_eps: 1e-5, hidden_act: 'silu', ...sizes }, 42)
 * model.weights.get('model.embed_tokens.weight')?.shape // [64, 8]
 * ```
 */
export function initModel(
  hfConfig: HfConfig,
  seed: number,
  head: HeadKind = 'lm',
  dtype: DType = 'f32',
): Decoder {
  const config = decoderConfig(hfConfig)
  const generator = new Generator(seed)
  const weights = noGrad(
    () =>
      new Map(
        weightSpecs(config, head).map((spec) => [
          spec.name,
          initial(spec, config.initializerRange, generator, dtype),
        ]),
      ),
  )
  generator.dispose()
  return assembleDecoder({ config, head, hfConfig, weights, dtype })
}

/**
 * A reward model that starts as a copy of a language model's backbone, with a fresh head.
 * @param shared take the backbone itself, not a copy: for an adapter, which leaves it as it is; `model` has to outlive it
 */
export function rewardModelFrom(model: Decoder, seed: number, { shared = false } = {}): Decoder {
  if (!shared) requireWideWeights(model, 'a reward model trains a copy of them')
  const hfConfig = rewardConfig(model.hfConfig)
  const config = decoderConfig(hfConfig)
  const generator = new Generator(seed)
  const std = 1 / Math.sqrt(config.embeddingSize ?? config.hiddenSize)
  const weights = noGrad(
    () =>
      new Map(
        weightSpecs(config, 'reward').map((spec) => {
          const own = model.weights.get(spec.name)
          const copy = own && (shared ? own : ops.clone(own))
          return [spec.name, copy ?? initial(spec, std, generator, model.dtype)]
        }),
      ),
  )
  generator.dispose()
  const scales = new Map(model.scales)
  const reward = assembleDecoder({ config, head: 'reward', hfConfig, weights, dtype: model.dtype, scales })
  return shared ? borrowing(reward, model) : reward
}
