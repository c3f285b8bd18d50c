/** Puts the tensors of a model in their places: by Hugging Face name in, blocks and heads out. */
import type { Block } from '../nn/block-shape.js'
import type { Gain } from '../nn/norm.js'
import type { Projection } from '../nn/projection.js'
import type { Tensor } from '../tensor/index.js'
import { BLOCK_PLACES, type DecoderConfig } from './config.js'
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

export function placesOf(config: DecoderConfig, head: HeadKind, weights: Weights): Places {
  const { names } = config
  const matrix = (name: string) => weights.get(`${names.prefix}${name}.weight`) as Tensor
  const linear = (name?: string) => (name ? linearOf(weights, names.prefix + name) : undefined)
  return {
    embedding: matrix(names.embedding),
    positions: names.positions ? matrix(names.positions) : undefined,
    projectIn: linear(names.projectIn),
    blocks: Array.from({ length: config.layers }, (_, i) => blockOf(config, weights, i)),
    finalNorm: names.finalNorm ? gainOf(weights, names.prefix + names.finalNorm) : undefined,
    projectOut: linear(names.projectOut),
    output: linearOf(weights, headName(config, head)),
  }
}

const gainOf = (weights: Weights, name: string): Gain => ({
  weight: weights.get(`${name}.weight`),
  bias: weights.get(`${name}.bias`),
})

const linearOf = (weights: Weights, name: string): Projection => ({
  weight: weights.get(`${name}.weight`) as Tensor,
  bias: weights.get(`${name}.bias`),
})

/** Norms and linear maps of one block, those that the family names. */
function blockOf(config: DecoderConfig, weights: Weights, layer: number): Block {
  const block: Record<string, unknown> = { layer: config.layerKinds[layer] }
  for (const place of BLOCK_PLACES) {
    const name = blockName(config, layer, place)
    if (name) block[place] = place.endsWith('Norm') ? gainOf(weights, name) : linearOf(weights, name)
  }
  return block as unknown as Block
}
