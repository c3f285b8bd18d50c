/** The element types of the safetensors format and how wide they are. */

/** Bits per element. */
const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const

export type SafetensorsDtype = keyof typeof BITS

export const isSafetensorsDtype = (name: string): name is SafetensorsDtype => Object.hasOwn(BITS, name)

export const bitsOf = (dtype: SafetensorsDtype): number => BITS[dtype]

const MAX_USIZE = 2n ** 64n - 1n

/**
 * Bytes of a dense tensor, with the overflow rule of the Rust reader: every partial product fits 64 bits.
 *
 * @returns 'overflow', or 'misaligned' where the last byte would be half used
 */
export function tensorBytes(
  dtype: SafetensorsDtype,
  shape: readonly number[],
): bigint | 'overflow' | 'misaligned' {
  let elements = 1n
  for (const extent of shape) {
    elements *= BigInt(extent)
    if (elements > MAX_USIZE) return 'overflow'
  }
  const bits = elements * BigInt(bitsOf(dtype))
  if (bits > MAX_USIZE) return 'overflow'
  return bits % 8n === 0n ? bits / 8n : 'misaligned'
}
