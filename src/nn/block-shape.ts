/** The description that drives a block: its weights by their places, what its layer has of its own, what all layers share. */
import { ops, type Tensor } from '../tensor/index.js'
import type { Activation } from './activation.js'
import type { Gain, NormKind } from './norm.js'
import type { Projection } from './projection.js'

/** Weights by their places. What is missing is not there in this family. */
export interface Block {
  inputNorm: Gain
  /** Either these three, or one that gives all. */
  query?: Projection
  key?: Projection
  value?: Projection
  queryKeyValue?: Projection
  /** Of each head's query and key. */
  queryNorm?: Gain
  keyNorm?: Gain
  output: Projection
  afterAttentionNorm?: Gain
  mlpNorm: Gain
  /** A gate makes the MLP a gated one. */
  gate?: Projection
  up?: Projection
  gateUp?: Projection
  down: Projection
  afterMlpNorm?: Gain
  layer: LayerKind
}

/** What may differ from layer to layer. */
export interface LayerKind {
  /** Factor of the attention scores. */
  scale: number
  /** Keys that a query sees, itself included; unset: all before it. */
  window?: number
  /** Which rotary table turns queries and keys; unset: none. */
  rope?: number
}

/** What all blocks of a model share. */
export interface BlockShape {
  heads: number
  kvHeads: number
  headDim: number
  norm: NormKind
  /** pre: x + f(norm(x)); post: norm(x + f(x)); parallel: x + attention(norm(x)) + mlp(norm(x)). */
  residual: 'pre' | 'post' | 'parallel'
  activation: Activation
  /** Fused query, key and value lie head by head, not one after the other. */
  interleaved?: boolean
  attentionSoftcap?: number
}

/** What a block needs to know of the stream. */
export interface StreamContext {
  /** Cosines and sines of the stream's positions, [T, r / 2], for each rotary table. */
  rotary: { cos: Tensor; sin: Tensor }[]
  segments: Tensor
  cacheRows?: Tensor
  /** Products of the linear maps are made in bf16; everything between them stays as it is. */
  bf16?: boolean
}

/** x as the linear maps take it. Rounded once, it is kept once, however many maps it enters. */
export const rounded = (x: Tensor, { bf16 }: StreamContext): Tensor => (bf16 ? ops.to(x, 'bf16') : x)
