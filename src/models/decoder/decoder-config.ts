/** What the decoder needs to know of a model, made from config.json by its family. Plain data. */
import type { Activation } from '../../nn/activation.js'
import type { BlockShape, LayerKind } from '../../nn/block-shape.js'
import type { RotaryConfig } from '../../nn/rotary.js'

export type { HfConfig } from '../folders/config-reader.js'

export interface DecoderConfig extends BlockShape {
  /** `model_type` of config.json. */
  family: string
  vocabSize: number
  hiddenSize: number
  intermediateSize: number
  layers: number
  maxPositions: number
  initializerRange: number
  tieWordEmbeddings: boolean
  /** Width of the embeddings where they are projected to hiddenSize and back. */
  embeddingSize?: number
  /** Embeddings are multiplied by it. */
  embeddingScale?: number
  /** Rows of the table of learned positions that come before position 0; unset: no such table. */
  positionOffset?: number
  ropes: RotaryConfig[]
  /** One for each layer. */
  layerKinds: LayerKind[]
  bias: BiasPlaces
  logitSoftcap?: number
  /**
   * Where the reward is read: at the last token, at the last that is not the pad token, as the mean over all; or at the last
   * and as the mean over the answer, by a head with two rows.
   */
  pooling: 'last' | 'lastUnpadded' | 'mean' | 'lastAndMean'
  names: WeightNames
}

/** Which projections have a bias. */
export interface BiasPlaces {
  /** Queries, keys, values. */
  qkv: boolean
  output: boolean
  mlp: boolean
  /** Of the reward head. */
  score?: boolean
}

/** Places of a block that hold weights, in the order in which they are listed and drawn. */
export const BLOCK_PLACES = [
  'inputNorm',
  'query',
  'key',
  'value',
  'queryKeyValue',
  'queryNorm',
  'keyNorm',
  'output',
  'afterAttentionNorm',
  'mlpNorm',
  'gate',
  'up',
  'gateUp',
  'down',
  'afterMlpNorm',
] as const
export type BlockPlace = (typeof BLOCK_PLACES)[number]

/** Hugging Face names, without `.weight` and `.bias`. A place without a name is not there. */
export interface WeightNames {
  /** Of everything but the heads; files of a bare base model leave it out. */
  prefix: string
  embedding: string
  positions?: string
  projectIn?: string
  projectOut?: string
  finalNorm?: string
  layers: string
  block: Partial<Record<BlockPlace, string>>
  /** Matrices of the blocks are [in, out] in files. */
  transposed?: boolean
  lmHead: string
  score: string
}

/** Values of `hidden_act` and its like. */
export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_accurate: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  relu: 'relu',
}
