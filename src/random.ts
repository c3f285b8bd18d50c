/** Randomness that is a pure function of its seed. */
import { createHash } from 'node:crypto'

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [0, n). */
  int(n: number): number
  pick<T>(items: readonly T[]): T
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[]
  /** Standard normal (Box-Muller). */
  normal(): number
}

/** First 64 bits of SHA-256: the same on every machine and in every version. */
export function hash64(text: string): bigint {
  return createHash('sha256').update(text, 'utf8').digest().readBigUInt64BE(0)
}

/** A hash as a number in [0, 1): the place of a prompt in a split or a fold. */
export function hashUnit(text: string): number {
  return Number(hash64(text) >> 11n) / 2 ** 53
}

/** xoshiro128** seeded through SHA-256, so that near seeds give unrelated streams. */
export function createRandom(seed: number | string): Random {
  const bytes = createHash('sha256').update(String(seed)).digest()
  let a = bytes.readUInt32LE(0)
  let b = bytes.readUInt32LE(4)
  let c = bytes.readUInt32LE(8)
  let d = bytes.readUInt32LE(12) | 1
  const rotl = (x: number, k: number) => (x << k) | (x >>> (32 - k))
  const uint32 = () => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotl(d, 11)
    return result
  }
  const next = () => ((uint32() >>> 5) * 67108864 + (uint32() >>> 6)) / 2 ** 53
  const int = (n: number) => Math.floor(next() * n)
  return {
    next,
    int,
    pick: (items) => items[int(items.length)],
    shuffle: (items) => {
      const out = [...items]
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(i + 1)
        const held = out[i]
        out[i] = out[j]
        out[j] = held
      }
      return out
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  }
}
