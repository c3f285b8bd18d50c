/** A model of shapes alone: every weight has its size and no memory, so that a plan can be made of a model of any size. */
import { type DType, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import type { AdapterSource } from '../adapters/adapter.js'
import { assembleDecoder, type Decoder } from '../decoder/decoder.js'
import type { HfConfig } from '../decoder/decoder-config.js'
import { type Quantized, quantizedMatrix, quantizedWeights } from '../decoder/quantized.js'
import { decoderConfig } from '../families/families.js'
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
  quantized?: Quantized,
): Decoder {
  const config = decoderConfig(hfConfig, where)
  const narrow = quantizedWeights(config, head, quantized)
  const specs = weightSpecs(config, head)
  const scales = new Map<string, Tensor>()
  const weights = new Map(
    specs.map(({ name, shape }) => {
      if (!quantized || !narrow.has(name)) return [name, shaped(shape, dtype)]
      const { weight, scale } = quantizedMatrix(quantized.bits, shape, shaped)
      scales.set(name, scale)
      return [name, weight]
    }),
  )
  return assembleDecoder({ config, head, hfConfig, weights, dtype, scales })
}

/** Makes the tensors of an adapter the same way. */
export const shapedAdapter: AdapterSource = {
  lora: (_module, _part, shape, dtype) => shaped(shape, dtype),
  saved: (_weight, base) => shaped(base.shape, base.dtype),
}
