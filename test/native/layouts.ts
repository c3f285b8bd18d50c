/** Random packed layouts: lists of a prompt and its answers, as training packs them. */
import type { Segment } from '../../src/nn/layout.js'
import { fromData, type Tensor } from '../../src/tensor/index.js'
import type { Random } from '../helpers/numbers.js'

/** Lists as [prompt length, ...answer lengths]; rows follow each other without gaps. */
export function layoutOf(lists: readonly (readonly number[])[]): { segments: Segment[]; rows: number } {
  const segments: Segment[] = []
  let at = 0
  lists.forEach(([prompt, ...answers], task) => {
    const [c0, c1] = [at, at + prompt]
    segments.push({ q0: c0, q1: c1, c0: c0, c1: c0, k0: c0, k1: c1, task })
    at = c1
    for (const length of answers) {
      segments.push({ q0: at, q1: at + length, c0, c1, k0: at, k1: at + length, task })
      at += length
    }
  })
  return { segments, rows: at }
}

export const tableOf = (segments: readonly Segment[]): Tensor =>
  fromData(
    BigInt64Array.from(
      segments.flatMap((s) => [s.q0, s.q1, s.c0, s.c1, s.k0, s.k1, s.task]),
      BigInt,
    ),
    [segments.length, 7],
    'i64',
    'cpu',
  )

/** One to four lists of one to six answers; lengths from 0 (an empty segment) to `longest`. */
export function randomLists(random: Random, longest: number): number[][] {
  return Array.from({ length: 1 + random.int(4) }, () => [
    1 + random.int(longest),
    ...Array.from({ length: 1 + random.int(6) }, () =>
      random.int(4) === 0 ? random.int(2) : random.int(longest + 1),
    ),
  ])
}
