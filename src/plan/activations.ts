/** Numbers that a forward keeps for its gradients, counted tensor by tensor as the operators keep them. */
import type { ModelShape } from './shape.js'

export interface BlockNumbers {
  /** Kept by one block for its backward pass, its input included. */
  kept: number
  /** Alive at once in its backward pass, besides what it kept: gradients of the widest part. */
  passing: number
}

/** Per token, of one block. An input of a linear map that is kept in bf16 counts as half a number. */
export function blockNumbers({ config: c, lora, width, trained, bf16 }: ModelShape): BlockNumbers {
  const [d, f] = [c.hiddenSize, c.intermediateSize]
  const [q, k] = [c.heads * c.headDim, c.kvHeads * c.headDim]
  const { block } = c.names
  const rope = c.layerKinds.some((kind) => kind.rope !== undefined)
  const input = bf16 ? 0.5 : 1
  // Inputs of norms and of linear maps, heads as attention takes them, its output (an input of the next map), one sum a head.
  const norms = c.residual === 'parallel' ? (1 + 2 * input) * d : (2 + 2 * input) * d
  const fused = block.queryKeyValue !== undefined
  const headNorms = (block.queryNorm ? q : 0) + (block.keyNorm ? k : 0)
  // A fused projection stays whole for its values: queries and keys that are rotated are kept beside it.
  const heads = q + 2 * k + (fused && rope ? q + k : 0) + headNorms
  const attention = heads + (bf16 ? q + q / 2 : q) + c.heads
  const after = (block.afterAttentionNorm ? d : 0) + (block.afterMlpNorm ? d : 0)
  const gated = block.gate !== undefined || block.gateUp !== undefined
  const oneOperator = c.activation === 'silu' || c.activation === 'gelu_tanh'
  const mlp = ((gated ? (oneOperator ? 2 : 3) : 1) + input) * f
  return {
    kept: norms + attention + after + mlp + loraNumbers(lora, c.layers, width),
    passing: trained > 0 ? (gated ? 3 : 2) * f + 3 * d : 0,
  }
}

/** Of one layer, in numbers of the model's width: the narrow inner rows; with dropout what it leaves. */
function loraNumbers(lora: ModelShape['lora'], layers: number, width: number): number {
  let total = 0
  for (const map of lora) {
    const widened = map.width === width ? 0 : map.columns
    total += ((map.r + (map.dropout ? map.columns : widened)) * map.width) / width
  }
  return total / layers
}
