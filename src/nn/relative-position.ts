/** Relative positions of DeBERTa-v2/v3: near distances by themselves, far ones in buckets that grow with the logarithm. */
import { fromData, ops, type Tensor } from '../tensor/index.js'

export interface RelativeRange {
  /** Buckets for distances to one side; half of them are for near distances. 0: no buckets. */
  buckets: number
  /** The distance from which on all are one. */
  maxDistance: number
}

/** Embeddings to one side of distance 0; there are twice as many. */
export const relativeSpan = ({ buckets, maxDistance }: RelativeRange): number =>
  buckets > 0 ? buckets : maxDistance

/** The embedding of the distance query - key, 0 … 2 * span - 1 (He et al. 2021, DeBERTaV3; transformers' rounding in f32). */
export function relativeIndex(distance: number, range: RelativeRange): number {
  const span = relativeSpan(range)
  return Math.min(2 * span - 1, Math.max(0, bucketOf(distance, range) + span))
}

function bucketOf(distance: number, { buckets, maxDistance }: RelativeRange): number {
  const middle = Math.floor(buckets / 2)
  const far = Math.abs(distance)
  if (buckets <= 0 || far <= middle) return distance
  const round = Math.fround
  const ratio = round(
    round(Math.log(round(far / middle))) / round(Math.log(round((maxDistance - 1) / middle))),
  )
  return Math.sign(distance) * (Math.ceil(round(ratio * (middle - 1))) + middle)
}

/** The embedding of every pair of places, [n, n] i64: row = query, column = key. */
export function relativeTable(n: number, range: RelativeRange): Tensor {
  const byDistance = Array.from({ length: 2 * n - 1 }, (_, i) => relativeIndex(i - (n - 1), range))
  const places = ops.arange(n, 'i64')
  const distance = ops.sub(ops.unsqueeze(places, 1), ops.unsqueeze(places, 0)) // [n, n]
  const flat = ops.view(ops.addScalar(distance, n - 1), [-1])
  const table = fromData(BigInt64Array.from(byDistance, BigInt))
  return ops.view(ops.indexSelect(table, 0, flat), [n, n])
}
