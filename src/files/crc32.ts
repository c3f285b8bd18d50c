/** Checksums of 32 bits, least significant bit first. */

/** @param polynomial with its bits reversed @returns unsigned checksums of bytes */
export function crcOf(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1
    return value
  })
  return (bytes) => {
    let crc = 0xffffffff
    for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8)
    return ~crc >>> 0
  }
}

/** CRC-32 (ISO 3309), as gzip and Parquet use it. */
export const crc32 = crcOf(0xedb88320)
