/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), as event files carry it. */
import { crcOf } from '../files/crc32.js'

export const crc32c = crcOf(0x82f63b78)

/** TFRecord's masking: a checksum of data that holds checksums would be weak. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
