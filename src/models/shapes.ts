/** A model of shapes alone: every weight has its size and no memory, so that a plan can be made of a model of any size. */
import { type DType, noGrad, ops, scope, type Tensor } from '../tensor/index.js'
import type { AdapterSource } from './adapter.js'
import type { HfConfig } from './config.js'
import { assembleDecoder, type Decoder } from './decoder.js'
import { type EightBit, eightBitWeights } from './eight-bit.js'
import { decoderConfig } from './families.js'
import { type HeadKind, weightSpecs } from './weights.js'

/** One number, seen as a tensor of the given shape. */
const shaped = (shape: readonly number[], dtype: DType): Tensor =>
  noGrad(() =>
    scope(() =>
      ops.expand(
        ops.zeros(
          shape.map(() => 1),
          dtype,
        ),
        [...shape],
      ),
    ),
  )

/** @throws ClhaError (exit 2) for a config that the decoder does not compute */
export function shapedModel(
  hfConfig: HfConfig,
  head: HeadKind,
  dtype: DType,
  where?: string,
  eightBit?: EightBit,
): Decoder {
  const config = decoderConfig(hfConfig, where)
  const narrow = eightBitWeights(config, head, eightBit)
  const specs = weightSpecs(config, head)
  const weights = new Map(
    specs.map(({ name, shape }) => [name, shaped(shape, narrow.has(name) ? 'i8' : dtype)]),
  )
  const scales = new Map(
    specs.flatMap(({ name, shape }) => (narrow.has(name) ? [[name, shaped([shape[0]], 'f32')]] : [])),
  )
  return assembleDecoder(config, head, hfConfig, weights, dtype, scales)
}

/** Makes the tensors of an adapter the same way. */
export const shapedAdapter: AdapterSource = {
  lora: (_module, _part, shape, dtype) => shaped(shape, dtype),
  saved: (_weight, base) => shaped(base.shape, base.dtype),
}
