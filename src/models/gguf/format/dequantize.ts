/** Blocks of GGUF to float32, as ggml's reference code does it, rounding for rounding. */
import { fromBrain, halfTable } from './half.js'
import { TENSOR_TYPES, type TensorType } from './tensor-types.js'

/** Writes the numbers of one block from `at` on; `from` is where its bytes begin. */
type Block = (bytes: Uint8Array, from: number, out: Float32Array, at: number) => void

/**
 * @param bytes whole blocks of the type
 * @param out as many numbers as they hold
 */
export function dequantize(type: TensorType, bytes: Uint8Array, out: Float32Array): void {
  if (type === 'F32') {
    new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes)
    return
  }
  const { block, bytes: width } = TENSOR_TYPES[type]
  const read = BLOCKS[type]
  for (let from = 0, at = 0; at < out.length; from += width, at += block) read(bytes, from, out, at)
}

const half = (bytes: Uint8Array, at: number): number => halfTable()[bytes[at] | (bytes[at + 1] << 8)]
const signed = (byte: number): number => (byte << 24) >> 24

/** 32 numbers of 4 bits: the low halves of 16 bytes, then the high ones. */
function nibbles(bytes: Uint8Array, from: number, use: (i: number, value: number) => void): void {
  for (let i = 0; i < 16; i++) {
    use(i, bytes[from + i] & 15)
    use(i + 16, bytes[from + i] >> 4)
  }
}

/** The fifth bits of 32 numbers, one after the other. */
const fifth = (bytes: Uint8Array, from: number, i: number): number =>
  ((bytes[from + (i >> 3)] >> (i & 7)) & 1) << 4

const BLOCKS: Readonly<Record<Exclude<TensorType, 'F32'>, Block>> = {
  F16(bytes, from, out, at) {
    out[at] = half(bytes, from)
  },
  BF16(bytes, from, out, at) {
    out[at] = fromBrain(bytes[from] | (bytes[from + 1] << 8))
  },
  Q4_0(bytes, from, out, at) {
    const scale = half(bytes, from)
    nibbles(bytes, from + 2, (i, value) => {
      out[at + i] = (value - 8) * scale
    })
  },
  Q4_1(bytes, from, out, at) {
    const scale = half(bytes, from)
    const least = half(bytes, from + 2)
    nibbles(bytes, from + 4, (i, value) => {
      out[at + i] = value * scale + least
    })
  },
  Q5_0(bytes, from, out, at) {
    const scale = half(bytes, from)
    nibbles(bytes, from + 6, (i, value) => {
      out[at + i] = ((value | fifth(bytes, from + 2, i)) - 16) * scale
    })
  },
  Q5_1(bytes, from, out, at) {
    const scale = half(bytes, from)
    const least = half(bytes, from + 2)
    nibbles(bytes, from + 8, (i, value) => {
      out[at + i] = (value | fifth(bytes, from + 4, i)) * scale + least
    })
  },
  Q8_0(bytes, from, out, at) {
    const scale = half(bytes, from)
    for (let i = 0; i < 32; i++) out[at + i] = signed(bytes[from + 2 + i]) * scale
  },
  Q4_K(bytes, from, out, at) {
    fourOrFive(bytes, from, out, at, false)
  },
  Q5_K(bytes, from, out, at) {
    fourOrFive(bytes, from, out, at, true)
  },
  Q6_K(bytes, from, out, at) {
    const scale = half(bytes, from + 208)
    for (let i = 0; i < 256; i++) {
      const part = i >> 7 // of two: 64 bytes of low bits, 32 bytes of high ones
      const quarter = (i >> 5) & 3
      const low = bytes[from + part * 64 + (quarter & 1) * 32 + (i & 31)]
      const high = (bytes[from + 128 + part * 32 + (i & 31)] >> (2 * quarter)) & 3
      const value = (quarter < 2 ? low & 15 : low >> 4) | (high << 4)
      out[at + i] = scale * signed(bytes[from + 192 + (i >> 4)]) * (value - 32)
    }
  },
}

/** Q4_K and Q5_K: eight runs of 32, each with a scale and a least value of 6 bits. */
function fourOrFive(bytes: Uint8Array, from: number, out: Float32Array, at: number, five: boolean): void {
  const highs = from + 16
  const lows = five ? from + 48 : highs
  const scale = half(bytes, from)
  const least = half(bytes, from + 2)
  for (let run = 0; run < 8; run++) {
    const step = scale * sixBits(bytes, from + 4, run)
    const base = least * sixBits(bytes, from + 4, run + 8)
    for (let i = 0; i < 32; i++) {
      const byte = bytes[lows + (run >> 1) * 32 + i]
      const low = run & 1 ? byte >> 4 : byte & 15
      const high = five ? ((bytes[highs + i] >> run) & 1) << 4 : 0
      out[at + run * 32 + i] = step * (low | high) - base
    }
  }
}

/** Eight scales and then eight least values of 6 bits in 12 bytes; the upper four of each are spread over two places. */
function sixBits(bytes: Uint8Array, from: number, index: number): number {
  const [run, second] = [index & 7, index >> 3]
  if (run < 4) return bytes[from + run + 4 * second] & 63
  const four = bytes[from + run + 4]
  return (second ? four >> 4 : four & 15) | ((bytes[from + run - 4 + 4 * second] >> 6) << 4)
}
