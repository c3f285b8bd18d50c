/** The likelihood as a function of one unknown, everything else at its best there. */
import { type Evidence, groupEvidence } from './evidence.js'
import type { Point } from './likelihood.js'
import { type Box, climb, type Found, maximise } from './maximise.js'

/** What one scorer scored, and the bounds of e, lapse and ln T for it. All parts share e. */
export interface Part {
  data: Evidence
  /** The same in few rows: where to look for hills. */
  coarse: Evidence
  box: Box
}

/** Best values of every part, and the sum of their log-likelihoods. */
export interface Joint {
  points: Point[]
  value: number
}

/** Above this many rows, neighbours are grouped. */
const ROWS = 1000
const COARSE = 120

export function partOf(evidence: Evidence, box: Box): Part {
  const data = groupEvidence(evidence, ROWS)
  return { data, coarse: groupEvidence(data, COARSE), box }
}

export const fixedAt = (box: Box, k: number, x: number): Box =>
  box.map((range, j): [number, number] => (j === k ? [x, x] : [...range]))

const joint = (found: readonly Found[]): Joint => ({
  points: found.map(({ at }) => at),
  value: found.reduce((sum, { value }) => sum + value, 0),
})

/** Each part's best lapse and T at e; from `near`, the bests at an e nearby, where that is known. */
export function bestAt(parts: readonly Part[], e: number, near?: Joint): Joint {
  return joint(
    parts.map((part, i) => {
      const box = fixedAt(part.box, 0, e)
      return near ? climb(part.data, near.points[i], box, 1e-5) : maximise(part.data, part.coarse, box)
    }),
  )
}

const GRID = [0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.36, 0.42, 0.47]

/** The highest point over e: a grid, then golden section around its best. */
export function bestOverall(parts: readonly Part[]): Joint {
  const [low, high] = parts[0].box[0]
  if (low === high) return bestAt(parts, low)
  const tried = [low, ...GRID.filter((e) => e > low && e < high), high].map((e) => ({
    e,
    ...bestAt(parts, e),
  }))
  const top = tried.reduce((best, one, i) => (one.value > tried[best].value ? i : best), 0)
  let [from, to] = [tried[Math.max(0, top - 1)].e, tried[Math.min(tried.length - 1, top + 1)].e]
  let best = tried[top]
  const ratio = (Math.sqrt(5) - 1) / 2
  const at = (e: number) => {
    const found = { e, ...bestAt(parts, e, best) }
    if (found.value > best.value) best = found
    return found.value
  }
  let [a, b] = [to - ratio * (to - from), from + ratio * (to - from)]
  let [va, vb] = [at(a), at(b)]
  while (to - from > 3e-4) {
    if (va >= vb) {
      ;[to, b, vb] = [b, a, va]
      a = to - ratio * (to - from)
      va = at(a)
    } else {
      ;[from, a, va] = [a, b, vb]
      b = from + ratio * (to - from)
      vb = at(b)
    }
  }
  return best
}

/**
 * The last x between `from` (inside) and `bound` where `value(x)` is at least `least`; `bound` where it is so there.
 * @returns x with what `value` found there
 */
export function lastInside<T extends { value: number }>(
  at: (x: number, near: T) => T,
  { from, start, bound, least }: { from: number; start: T; bound: number; least: number },
): { x: number; found: T } {
  const far = at(bound, start)
  if (far.value >= least) return { x: bound, found: far }
  let inside = { x: from, found: start }
  let outside = bound
  for (let step = 0; step < 10; step++) {
    const x = (inside.x + outside) / 2
    const found = at(x, inside.found)
    if (found.value >= least) inside = { x, found }
    else outside = x
  }
  return inside
}
