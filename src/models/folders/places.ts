/** Puts the tensors of a model in their places: by Hugging Face name in, blocks and heads out. */
import type { Block } from '../../nn/block-shape.js'
import type { Gain } from '../../nn/norm.js'
import type { Projection } from '../../nn/projection.js'
import type { Tensor } from '../../tensor/index.js'
import { BLOCK_PLACES, type DecoderConfig } from '../decoder/decoder-config.js'
import { blockName, type HeadKind, headName } from './weights.js'

type Weights = ReadonlyMap<string, Tensor>

export interface Places {
  /** [V, D] */
  embedding: Tensor
  /** [positions, D] */
  positions?: Tensor
  projectIn?: Projection
  blocks: Block[]
  finalNorm?: Gain
  projectOut?: Projection
  /** Makes the logits, or the reward. */
  output: Projection
}

/** @param scales of weights in 8 or 4 bits, by the weights' names */
export function placesOf(config: DecoderConfig, head: HeadKind, weights: Weights, scales?: Weights): Places {
  const { names } = config
  const linearOf = linearIn(weights, scales)
  const matrix = (name: string) => weights.get(`${names.prefix}${name}.weight`) as Tensor
  const linear = (name?: string) => (name ? linearOf(names.prefix + name) : undefined)
  return {
    embedding: matrix(names.embedding),
    positions: names.positions ? matrix(names.positions) : undefined,
    projectIn: linear(names.projectIn),
    blocks: Array.from({ length: config.layers }, (_, i) => blockOf(config, weights, linearOf, i)),
    finalNorm: names.finalNorm ? gainOf(weights, names.prefix + names.finalNorm) : undefined,
    projectOut: linear(names.projectOut),
    output: linearOf(headName(config, head)),
  }
}

const gainOf = (weights: Weights, name: string): Gain => ({
  weight: weights.get(`${name}.weight`),
  bias: weights.get(`${name}.bias`),
})

type LinearOf = (name: string) => Projection

const linearIn =
  (weights: Weights, scales?: Weights): LinearOf =>
  (name) => {
    const weight = weights.get(`${name}.weight`) as Tensor
    const linear = { weight, bias: weights.get(`${name}.bias`) }
    // A copy that is trained whole may stand where the base has fewer bits.
    const scale = weight.dtype === 'i8' || weight.dtype === 'u8' ? scales?.get(`${name}.weight`) : undefined
    return scale ? { ...linear, scale } : linear
  }

/** Norms and linear maps of one block, those that the family names. */
function blockOf(config: DecoderConfig, weights: Weights, linearOf: LinearOf, layer: number): Block {
  const block: Record<string, unknown> = { layer: config.layerKinds[layer] }
  for (const place of BLOCK_PLACES) {
    const name = blockName(config, layer, place)
    if (name) block[place] = place.endsWith('Norm') ? gainOf(weights, name) : linearOf(name)
  }
  return block as unknown as Block
}
