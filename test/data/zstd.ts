/** zstd frames that store their content: Node 20 can't compress zstd. */

/** One frame (RFC 8878) with a single raw block, and the low half of its content's XXH64 where it is given. */
export function rawFrame(content: string | Buffer, checksum?: number): Buffer {
  const bytes = Buffer.from(content as string)
  const header = Buffer.alloc(12)
  header.writeUInt32LE(0xfd2fb528, 0)
  // Single segment, content size in 4 bytes, a checksum at the end or none.
  header[4] = 0b1010_0000 | (checksum === undefined ? 0 : 0b100)
  header.writeUInt32LE(bytes.length, 5)
  header.writeUIntLE((bytes.length << 3) | 1, 9, 3) // last block, raw
  const end = Buffer.alloc(checksum === undefined ? 0 : 4)
  if (checksum !== undefined) end.writeUInt32LE(checksum)
  return Buffer.concat([header, bytes, end])
}
