/** A text as the set of its runs of five characters, hashed: what near-duplicates share. */

/** UTF-16 units in a run. */
const RUN = 5

/** Case, width and spacing do not count. */
const fold = (text: string) => text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()

/** Spreads the bits of a hash (MurmurHash3's last step). */
export function mix(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Different hashes of the runs of a text, in rising order. Empty for a text without characters. */
export function shingles(text: string): Uint32Array {
  const folded = fold(text)
  if (folded === '') return new Uint32Array(0)
  const runs = Math.max(1, folded.length - RUN + 1)
  const hashes = new Uint32Array(runs)
  for (let i = 0; i < runs; i++) {
    let h = 0x811c9dc5 // FNV-1a
    const end = Math.min(i + RUN, folded.length)
    for (let j = i; j < end; j++) h = Math.imul(h ^ folded.charCodeAt(j), 0x01000193)
    hashes[i] = mix(h)
  }
  return distinct(hashes.sort())
}

function distinct(sorted: Uint32Array): Uint32Array {
  let kept = 0
  for (let i = 0; i < sorted.length; i++)
    if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[kept++] = sorted[i]
  return sorted.slice(0, kept)
}

/** How many hashes of a set are kept: sets up to this size are compared exactly. */
const KEPT = 128

/** The smallest hashes of a set (bottom-k sketch, Cohen and Kaplan 2007). */
export const bottom = (set: Uint32Array): Uint32Array => set.slice(0, KEPT)

/**
 * Jaccard similarity, the share of two sets that they have in common, of sets or of their bottom sketches: exact up to
 * 128 elements in both together, else estimated from the 128 smallest (standard error up to 0.045).
 */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  if (a.length === 0 && b.length === 0) return 1
  // A sketch says nothing about hashes above its largest one.
  const most = Math.max(a.length, b.length) < KEPT ? Number.POSITIVE_INFINITY : KEPT
  let [i, j, union, shared] = [0, 0, 0, 0]
  while ((i < a.length || j < b.length) && union < most) {
    const x = i < a.length ? a[i] : Number.POSITIVE_INFINITY
    const y = j < b.length ? b[j] : Number.POSITIVE_INFINITY
    if (x === y) shared++
    if (x <= y) i++
    if (y <= x) j++
    union++
  }
  return shared / union
}
