/** Which tensor of GGUF is which weight of ours, and what llama.cpp's converter does to it. */
import { BLOCK_PLACES, type BlockPlace, type DecoderConfig } from '../decoder/decoder-config.js'
import { blockName, type WeightSpec, weightSpecs } from '../folders/weights.js'

export interface MappedWeight {
  spec: WeightSpec
  /** Its name in GGUF. */
  name: string
  /** The row of ours that stands in a row of GGUF's; left out: the same one. */
  rowOf?: (row: number) => number
  /** What GGUF adds to it: gains of Gemma are stored there as they are multiplied with. */
  offset: number
}

const PLACES: Readonly<Record<BlockPlace, string>> = {
  inputNorm: 'attn_norm',
  query: 'attn_q',
  key: 'attn_k',
  value: 'attn_v',
  queryKeyValue: 'attn_qkv',
  queryNorm: 'attn_q_norm',
  keyNorm: 'attn_k_norm',
  output: 'attn_output',
  afterAttentionNorm: 'post_attention_norm',
  mlpNorm: 'ffn_norm',
  gate: 'ffn_gate',
  up: 'ffn_up',
  gateUp: 'ffn_up',
  down: 'ffn_down',
  afterMlpNorm: 'post_ffw_norm',
}

/** Families whose queries and keys llama.cpp rotates in neighbouring pairs. */
const PAIRED = ['llama', 'mistral']

/** Every weight of a language model. */
export function mappedWeights(c: DecoderConfig): MappedWeight[] {
  const names = ggufNames(c)
  return weightSpecs(c, 'lm').map((spec) => {
    const dot = spec.name.lastIndexOf('.')
    const { name, place } = names.get(spec.name.slice(0, dot)) as Named
    return {
      spec,
      name: name + spec.name.slice(dot),
      rowOf: place && rowOrder(c, place),
      offset: c.norm.gainOffset && spec.shape.length === 1 && spec.name.endsWith('norm.weight') ? 1 : 0,
    }
  })
}

interface Named {
  name: string
  place?: BlockPlace
}

/** Name in GGUF of each module, without `.weight` and `.bias`. */
export function ggufNames(c: DecoderConfig): Map<string, Named> {
  const { names } = c
  const modules = new Map<string, Named>()
  const add = (name: string | undefined, gguf: string) => {
    if (name !== undefined) modules.set(name, { name: gguf })
  }
  const outer = (name: string | undefined) => (name === undefined ? undefined : names.prefix + name)
  add(outer(names.embedding), 'token_embd')
  add(outer(names.positions), 'position_embd')
  add(outer(names.finalNorm), 'output_norm')
  add(names.lmHead, 'output')
  for (let layer = 0; layer < c.layers; layer++)
    for (const place of BLOCK_PLACES) {
      const name = blockName(c, layer, place)
      if (name !== undefined) modules.set(name, { name: `blk.${layer}.${PLACES[place]}`, place })
    }
  return modules
}

/** The row of ours in a row of GGUF's, where a family's rows stand in another order there. */
export function rowOrder(c: DecoderConfig, place: BlockPlace): ((row: number) => number) | undefined {
  const d = c.headDim
  // Halves of a head to neighbours: row 2 i + j of a head is row j d/2 + i of ours.
  if (PAIRED.includes(c.family) && (place === 'query' || place === 'key'))
    return (row) => row - (row % d) + (row % 2) * (d / 2) + ((row % d) >> 1)
  // Head by head to queries, keys and values apart: [3, head, d] from [head, 3, d].
  if (c.interleaved && place === 'queryKeyValue')
    return (row) => {
      const [part, head, i] = [Math.floor(row / (c.heads * d)), Math.floor(row / d) % c.heads, row % d]
      return (head * 3 + part) * d + i
    }
  return undefined
}
