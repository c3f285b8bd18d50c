/** Numbers of two bytes: IEEE half precision and bfloat16, from and to float32. */

const word = new Uint32Array(1)
const single = new Float32Array(word.buffer)

function widenedHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 0x3ff
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

let halves: Float32Array | undefined

/** The value of each of the 65,536 halves. */
export function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65_536 }, (_, half) => widenedHalf(half))
  return halves
}

/** The nearest half (ties to even) of a float32, as its 16 bits. */
export function toHalf(value: number): number {
  single[0] = value
  const bits = word[0]
  const sign = (bits >>> 16) & 0x8000
  const rest = bits & 0x7fffffff
  if (rest > 0x7f800000) return sign | 0x7e00 // not a number
  if (rest >= 0x47800000) return sign | 0x7c00 // beyond the largest exponent
  if (rest < 0x38800000) {
    // Below the smallest normal half: a whole number of 2^-24, in an addition that rounds as the format does.
    single[0] = Math.abs(single[0]) + 0.5
    return sign | (word[0] - 0x3f000000)
  }
  const odd = (rest >>> 13) & 1
  return sign | ((rest - 0x38000000 + 0xfff + odd) >>> 13)
}

export function fromBrain(brain: number): number {
  word[0] = brain << 16
  return single[0]
}

/** The nearest bfloat16 (ties to even) of a float32, as its 16 bits. */
export function toBrain(value: number): number {
  single[0] = value
  const bits = word[0]
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 64 // not a number, and a quiet one
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}
