/**
 * The packed stream: many segments in one flat row of tokens, no padding.
 *
 * A segment attends to its context (the rows of an earlier segment or of a cache) and, causally, to itself; positions go
 * on from the context. Rows [q0, q1) are the segment's tokens, [c0, c1) its context, [k0, k1) its own keys. In training
 * keys live in the stream (k0 = q0); in generation in the cache.
 */
import { fromData, i64, type Tensor } from '../tensor/index.js'

export interface Segment {
  q0: number
  q1: number
  c0: number
  c1: number
  k0: number
  k1: number
  /** Segments of one list are neighbours and share a task: a shared context's gradient adds up within it. */
  task: number
}

export interface PackedStream {
  /** [T] i64 */
  tokens: Tensor
  /** [T] i64 */
  positions: Tensor
  /** One more than the largest position. */
  reach: number
  /** [segments, 7] i64, on the CPU wherever the rest is: attention reads it before it starts. */
  segments: Tensor
  /** Generation: rows of the cache that this stream's keys and values are written to, [T] i64. */
  cacheRows?: Tensor
}

const row = (s: Segment) => [s.q0, s.q1, s.c0, s.c1, s.k0, s.k1, s.task]

function reachOf(positions: ArrayLike<number>): number {
  let reach = 1
  for (let i = 0; i < positions.length; i++) reach = Math.max(reach, positions[i] + 1)
  return reach
}

/** Tensors of a stream, owned by the scope that calls. */
export function packedStream(
  tokens: ArrayLike<number>,
  positions: ArrayLike<number>,
  segments: readonly Segment[],
  cacheRows?: ArrayLike<number>,
): PackedStream {
  return {
    tokens: i64(tokens),
    positions: i64(positions),
    reach: reachOf(positions),
    segments: fromData(BigInt64Array.from(segments.flatMap(row), BigInt), [segments.length, 7], 'i64', 'cpu'),
    cacheRows: cacheRows && i64(cacheRows),
  }
}

/** A stream of one causal sequence. */
export function singleSequence(tokens: ArrayLike<number>): PackedStream {
  const n = tokens.length
  const segment = { q0: 0, q1: n, c0: 0, c1: 0, k0: 0, k1: n, task: 0 }
  return packedStream(
    tokens,
    Array.from({ length: n }, (_, i) => i),
    [segment],
  )
}
