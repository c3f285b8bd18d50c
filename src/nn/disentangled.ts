/** Disentangled attention (DeBERTa, arXiv 2006.03654, eq. 4): content to content, to position, and position to content. */
import { ops, scope, type Tensor } from '../tensor/index.js'

export interface DisentangledInput {
  /** [T, H * d] each; a sequence is rows [start, end). */
  query: Tensor
  key: Tensor
  value: Tensor
  /** Relative embeddings as keys for content to position, [2 * span, H * d]. */
  positionKey?: Tensor
  /** The same as queries for position to content. */
  positionQuery?: Tensor
  /** Which relative embedding belongs to a pair of places, [n, n] for the longest sequence. */
  table: Tensor
}

export interface Sequence {
  start: number
  end: number
}

/** Every token sees its whole sequence, and nothing else. [T, H * d] */
export function disentangledAttention(
  input: DisentangledInput,
  sequences: readonly Sequence[],
  heads: number,
  headDim: number,
): Tensor {
  const parts = [input.positionKey, input.positionQuery].filter((x) => x !== undefined).length
  const scale = 1 / Math.sqrt(headDim * (1 + parts))
  // [n, H * d] -> [H, n, d]
  const asHeads = (x: Tensor) => ops.transpose(ops.view(x, [-1, heads, headDim]), 0, 1)
  const turned = (x: Tensor | undefined) => x && ops.transpose(asHeads(x), 1, 2) // [H, d, 2 * span]
  const keys = turned(input.positionKey)
  const queries = turned(input.positionQuery)
  const attend = ({ start, end }: Sequence) =>
    scope(() => {
      const n = end - start
      const [q, k, v] = [input.query, input.key, input.value].map((x) => asHeads(ops.narrow(x, 0, start, n)))
      const table = ops.narrow(ops.narrow(input.table, 0, 0, n), 1, 0, n)
      const at = (index: Tensor) => ops.expand(ops.unsqueeze(index, 0), [heads, n, n])
      let scores = ops.matmul(q, ops.transpose(k, 1, 2)) // [H, n, n]
      if (keys) scores = ops.add(scores, ops.gather(ops.matmul(q, keys), 2, at(table)))
      if (queries) {
        const byKey = ops.gather(ops.matmul(k, queries), 2, at(ops.transpose(table, 0, 1))) // [H, key, query]
        scores = ops.add(scores, ops.transpose(byKey, 1, 2))
      }
      const mixed = ops.matmul(ops.softmax(ops.mulScalar(scores, scale), -1), v) // [H, n, d]
      return ops.reshape(ops.transpose(mixed, 0, 1), [n, heads * headDim])
    })
  return ops.cat(sequences.map(attend), 0)
}
