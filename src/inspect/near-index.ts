/** Finds earlier texts that are nearly the same, without comparing each with each: MinHash and bands. */
import { bottom, jaccard, mix, shingles } from './shingles.js'

const BANDS = 8
const ROWS = 4
const SEEDS = Uint32Array.from({ length: BANDS * ROWS }, (_, i) => mix(i + 1))

export interface NearMatch {
  /** What was added: 0 for the first. */
  index: number
  /** The least similar of the parts. */
  similarity: number
}

export interface NearIndex {
  /**
   * The most similar entry whose parts all reach the similarity; the first of equals.
   * @param accepts which entries come into question; all when left out
   */
  find(parts: readonly string[], accepts?: (index: number) => boolean): NearMatch | undefined
  add(parts: readonly string[]): void
}

/**
 * Entries are tuples of texts (such as prompt, better and worse answer); two are near when each part is, so a long
 * shared prompt does not hide different answers. Of entries with a similarity of 0.7, 0.8, 0.9 about 89, 98 and 99.9 %
 * are found (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, 3.4). About 1.5 kB an entry.
 */
export function createNearIndex(similarity: number): NearIndex {
  const sketches: Uint32Array[][] = []
  const heads = Array.from({ length: BANDS }, () => new Map<number, number>())
  /** Of each entry and band, the entry before it in the same bucket. */
  const before: Int32Array[] = []
  let last: { parts: readonly string[]; sets: Uint32Array[]; bands: number[] } | undefined
  const read = (parts: readonly string[]) => {
    if (last?.parts === parts) return last
    const sets = parts.map(shingles)
    last = { parts, sets, bands: bandsOf(sets) }
    return last
  }
  return {
    find(parts, accepts = () => true) {
      const { sets, bands } = read(parts)
      const own = sets.map(bottom)
      let best: NearMatch | undefined
      const seen = new Set<number>()
      for (let band = 0; band < BANDS; band++) {
        let at = heads[band].get(bands[band]) ?? -1
        for (; at >= 0; at = before[at][band]) {
          if (seen.has(at)) continue
          seen.add(at)
          if (!accepts(at)) continue
          const found = leastSimilar(own, sketches[at])
          const isBetter = !best || found > best.similarity || (found === best.similarity && at < best.index)
          if (found >= similarity && isBetter) best = { index: at, similarity: found }
        }
      }
      return best
    },
    add(parts) {
      const { sets, bands } = read(parts)
      const index = sketches.length
      sketches.push(sets.map(bottom))
      before.push(Int32Array.from(bands, (hash, band) => heads[band].get(hash) ?? -1))
      for (let band = 0; band < BANDS; band++) heads[band].set(bands[band], index)
    },
  }
}

function leastSimilar(a: readonly Uint32Array[], b: readonly Uint32Array[]): number {
  if (a.length !== b.length) return 0
  return Math.min(...a.map((set, i) => jaccard(set, b[i])))
}

/** One hash per band of the MinHash signature of all parts together; the parts' own hashes are kept apart. */
function bandsOf(sets: readonly Uint32Array[]): number[] {
  const signature = new Uint32Array(SEEDS.length).fill(0xffffffff)
  sets.forEach((set, part) => {
    const salt = mix(part + 101)
    for (const element of set) {
      for (let i = 0; i < SEEDS.length; i++) {
        const h = mix(element ^ salt ^ SEEDS[i])
        if (h < signature[i]) signature[i] = h
      }
    }
  })
  return Array.from({ length: BANDS }, (_, band) => {
    let h = mix(band + 1)
    for (let row = 0; row < ROWS; row++) h = mix(h ^ signature[band * ROWS + row])
    return h
  })
}
