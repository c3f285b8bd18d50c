/** The tensors of a model by their Hugging Face names: which there are, how large, and how they start. */
import type { Block } from '../nn/block.js'
import type { Projection } from '../nn/projection.js'
import type { Tensor } from '../tensor/index.js'
import type { DecoderConfig } from './config.js'

export type HeadKind = 'lm' | 'reward'

export interface WeightSpec {
  name: string
  shape: number[]
  init: 'normal' | 'ones' | 'zeros'
}

const layer = (i: number, rest: string) => `model.layers.${i}.${rest}`

/** Every tensor of the model, in a fixed order. A tied LM head has none of its own. */
export function weightSpecs(c: DecoderConfig, head: HeadKind): WeightSpec[] {
  const out: WeightSpec[] = [
    { name: 'model.embed_tokens.weight', shape: [c.vocabSize, c.hiddenSize], init: 'normal' },
  ]
  const projection = (name: string, rows: number, columns: number, bias: boolean) => {
    out.push({ name: `${name}.weight`, shape: [rows, columns], init: 'normal' })
    if (bias) out.push({ name: `${name}.bias`, shape: [rows], init: 'zeros' })
  }
  const gain = (name: string) => out.push({ name: `${name}.weight`, shape: [c.hiddenSize], init: 'ones' })
  for (let i = 0; i < c.layers; i++) {
    gain(layer(i, 'input_layernorm'))
    projection(layer(i, 'self_attn.q_proj'), c.heads * c.headDim, c.hiddenSize, c.attentionBias)
    projection(layer(i, 'self_attn.k_proj'), c.kvHeads * c.headDim, c.hiddenSize, c.attentionBias)
    projection(layer(i, 'self_attn.v_proj'), c.kvHeads * c.headDim, c.hiddenSize, c.attentionBias)
    projection(layer(i, 'self_attn.o_proj'), c.hiddenSize, c.heads * c.headDim, c.attentionBias)
    gain(layer(i, 'post_attention_layernorm'))
    projection(layer(i, 'mlp.gate_proj'), c.intermediateSize, c.hiddenSize, c.mlpBias)
    projection(layer(i, 'mlp.up_proj'), c.intermediateSize, c.hiddenSize, c.mlpBias)
    projection(layer(i, 'mlp.down_proj'), c.hiddenSize, c.intermediateSize, c.mlpBias)
  }
  gain('model.norm')
  if (head === 'reward') projection('score', 1, c.hiddenSize, false)
  else if (!c.tieWordEmbeddings) projection('lm_head', c.vocabSize, c.hiddenSize, false)
  return out
}

/** The tensors of one block, by their places. */
export function blockOf(weights: ReadonlyMap<string, Tensor>, i: number): Block {
  const get = (rest: string) => weights.get(layer(i, rest)) as Tensor
  const projection = (name: string): Projection => ({
    weight: get(`${name}.weight`),
    bias: weights.get(layer(i, `${name}.bias`)),
  })
  return {
    inputNorm: get('input_layernorm.weight'),
    query: projection('self_attn.q_proj'),
    key: projection('self_attn.k_proj'),
    value: projection('self_attn.v_proj'),
    output: projection('self_attn.o_proj'),
    mlpNorm: get('post_attention_layernorm.weight'),
    gate: projection('mlp.gate_proj'),
    up: projection('mlp.up_proj'),
    down: projection('mlp.down_proj'),
  }
}
