/** Float32 to the types of GGUF that are written, rounding for rounding as llama.cpp's converter does it. */
import { toBrain, toHalf } from './half.js'
import { quantizeQ4K, quantizeQ5K, quantizeQ6K } from './quantize-k.js'
import { bytesOf, TENSOR_TYPES, type TensorType } from './tensor-types.js'

/** Writes one block of `values` from `at` on; `to` is where its bytes begin. */
export type WriteBlock = (values: Float32Array, at: number, out: Uint8Array, to: number) => void

/** @param values rows of whole blocks */
export function quantize(type: TensorType, values: Float32Array): Uint8Array {
  if (type === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  if (type === 'F16' || type === 'BF16') {
    const to = type === 'F16' ? toHalf : toBrain
    const narrow = new Uint16Array(values.length)
    for (let i = 0; i < values.length; i++) narrow[i] = to(values[i])
    return new Uint8Array(narrow.buffer)
  }
  const write = WRITERS[type]
  if (!write) throw new Error(`${type} is not written`)
  const { block, bytes } = TENSOR_TYPES[type]
  const out = new Uint8Array(bytesOf(type, values.length))
  for (let at = 0, to = 0; at < values.length; at += block, to += bytes) write(values, at, out, to)
  return out
}

export function putHalf(out: Uint8Array, to: number, value: number): void {
  const half = toHalf(value)
  out[to] = half & 255
  out[to + 1] = half >> 8
}

/** Halves away from zero. */
const rounded = (value: number): number => {
  const size = Math.abs(value)
  const whole = Math.floor(size)
  return Math.sign(value) * (whole + Math.floor(2 * (size - whole)))
}

function quantizeQ8(values: Float32Array, at: number, out: Uint8Array, to: number): void {
  let largest = 0
  for (let i = at; i < at + 32; i++) largest = Math.max(largest, Math.abs(values[i]))
  const scale = Math.fround(largest / 127)
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
  putHalf(out, to, scale)
  for (let i = 0; i < 32; i++) out[to + 2 + i] = rounded(Math.fround(values[at + i] * inverse))
}

/** The value of the largest size, with its sign; of equal ones the first. */
function extreme(values: Float32Array, at: number): number {
  let found = 0
  for (let i = at; i < at + 32; i++) if (Math.abs(found) < Math.abs(values[i])) found = values[i]
  return found
}

/** 32 numbers of 5 bits: fifth bits in 4 bytes, then the low halves and the high halves of 16 bytes. */
function putFive(out: Uint8Array, to: number, numberAt: (i: number) => number): void {
  for (let i = 0; i < 16; i++) {
    const [low, high] = [numberAt(i), numberAt(i + 16)]
    out[to + 4 + i] = (low & 15) | ((high & 15) << 4)
    out[to + (i >> 3)] |= ((low >> 4) & 1) << (i & 7)
    out[to + 2 + (i >> 3)] |= ((high >> 4) & 1) << (i & 7)
  }
}

function quantizeQ50(values: Float32Array, at: number, out: Uint8Array, to: number): void {
  const scale = Math.fround(extreme(values, at) / -16)
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
  putHalf(out, to, scale)
  putFive(out, to + 2, (i) =>
    Math.min(31, Math.trunc(Math.fround(Math.fround(values[at + i] * inverse) + 16.5))),
  )
}

function quantizeQ51(values: Float32Array, at: number, out: Uint8Array, to: number): void {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = at; i < at + 32; i++) {
    least = Math.min(least, values[i])
    most = Math.max(most, values[i])
  }
  const scale = Math.fround(Math.fround(most - least) / 31)
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
  putHalf(out, to, scale)
  putHalf(out, to + 2, least)
  putFive(out, to + 4, (i) => {
    const scaled = Math.fround(Math.fround(values[at + i] - least) * inverse)
    return Math.trunc(Math.fround(scaled + 0.5))
  })
}

const WRITERS: Partial<Record<TensorType, WriteBlock>> = {
  Q8_0: quantizeQ8,
  Q5_0: quantizeQ50,
  Q5_1: quantizeQ51,
  Q4_K: quantizeQ4K,
  Q5_K: quantizeQ5K,
  Q6_K: quantizeQ6K,
}
