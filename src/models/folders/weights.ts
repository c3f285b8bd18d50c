/** The tensors of a model by their Hugging Face names: which there are, how large, and how they start. */
import { BLOCK_PLACES, type BlockPlace, type DecoderConfig } from '../decoder/decoder-config.js'

export type HeadKind = 'lm' | 'reward'

export interface WeightSpec {
  name: string
  /** In memory; matrices are [out, in]. */
  shape: number[]
  init: 'normal' | 'ones' | 'zeros'
  /** In files the matrix is [in, out]. */
  transposed?: boolean
}

/** Hugging Face name of a place of a block, without `.weight` and `.bias`; undefined where the family has none. */
export function blockName(c: DecoderConfig, layer: number, place: BlockPlace): string | undefined {
  const name = c.names.block[place]
  return name && `${c.names.prefix}${c.names.layers}.${layer}.${name}`
}

/** Name of the matrix that makes logits or the reward, without `.weight`; a tied one is the embedding. */
export function headName(c: DecoderConfig, head: HeadKind): string {
  if (head === 'reward') return c.names.score
  return c.tieWordEmbeddings ? c.names.prefix + c.names.embedding : c.names.lmHead
}

/** Every tensor of the model, in a fixed order. A tied LM head has none of its own. */
export function weightSpecs(c: DecoderConfig, head: HeadKind): WeightSpec[] {
  const { names } = c
  const embedding = c.embeddingSize ?? c.hiddenSize
  const outer = (name: string | undefined, rows: number, columns: number) =>
    name ? matrix(names.prefix + name, [rows, columns]) : []
  return [
    ...outer(names.embedding, c.vocabSize, embedding),
    ...outer(names.positions, c.maxPositions + (c.positionOffset ?? 0), c.hiddenSize),
    ...outer(names.projectIn, c.hiddenSize, embedding),
    ...Array.from({ length: c.layers }, (_, i) => blockSpecs(c, i)).flat(),
    ...(names.finalNorm ? gain(c, names.prefix + names.finalNorm, c.hiddenSize) : []),
    ...outer(names.projectOut, embedding, c.hiddenSize),
    ...headSpecs(c, head, embedding),
  ]
}

const matrix = (name: string, shape: number[], bias = 0, transposed = false): WeightSpec[] => [
  { name: `${name}.weight`, shape, init: 'normal', transposed },
  ...(bias > 0 ? [{ name: `${name}.bias`, shape: [bias], init: 'zeros' as const }] : []),
]

/** Gains start at 1. */
function gain({ norm }: DecoderConfig, name: string, width: number): WeightSpec[] {
  if (norm.plain) return []
  const weight = {
    name: `${name}.weight`,
    shape: [width],
    init: norm.gainOffset ? ('zeros' as const) : ('ones' as const),
  }
  const bias = { name: `${name}.bias`, shape: [width], init: 'zeros' as const }
  return norm.kind === 'layer' ? [weight, bias] : [weight]
}

function headSpecs(c: DecoderConfig, head: HeadKind, width: number): WeightSpec[] {
  if (head === 'reward') return matrix(c.names.score, [1, width], c.bias.score ? 1 : 0)
  return c.tieWordEmbeddings ? [] : matrix(c.names.lmHead, [c.vocabSize, width])
}

/** Rows, columns and bias of a projection; the width of a norm. */
type Size = { rows: number; columns: number; bias: boolean } | { width: number }

function blockSpecs(c: DecoderConfig, layer: number): WeightSpec[] {
  const sizes = placeSizes(c)
  return BLOCK_PLACES.flatMap((place) => {
    const name = blockName(c, layer, place)
    if (!name) return []
    const size = sizes[place]
    if ('width' in size) return gain(c, name, size.width)
    const { rows, columns, bias } = size
    return matrix(name, [rows, columns], bias ? rows : 0, c.names.transposed)
  })
}

function placeSizes(c: DecoderConfig): Record<BlockPlace, Size> {
  const { hiddenSize: d, intermediateSize: f, bias } = c
  const [queries, keys] = [c.heads * c.headDim, c.kvHeads * c.headDim]
  return {
    inputNorm: { width: d },
    query: { rows: queries, columns: d, bias: bias.qkv },
    key: { rows: keys, columns: d, bias: bias.qkv },
    value: { rows: keys, columns: d, bias: bias.qkv },
    queryKeyValue: { rows: queries + 2 * keys, columns: d, bias: bias.qkv },
    queryNorm: { width: c.headDim },
    keyNorm: { width: c.headDim },
    output: { rows: d, columns: queries, bias: bias.output },
    afterAttentionNorm: { width: d },
    mlpNorm: { width: d },
    gate: { rows: f, columns: d, bias: bias.mlp },
    up: { rows: f, columns: d, bias: bias.mlp },
    gateUp: { rows: 2 * f, columns: d, bias: bias.mlp },
    down: { rows: d, columns: f, bias: bias.mlp },
    afterMlpNorm: { width: d },
  }
}
