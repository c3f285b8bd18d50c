/** zstd frames that store their content: Node 20 can't compress zstd. */

/** One frame (RFC 8878) with a single raw block and no checksum. */
export function rawFrame(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string)
  const header = Buffer.alloc(12)
  header.writeUInt32LE(0xfd2fb528, 0)
  header[4] = 0b1010_0000 // single segment, content size in 4 bytes
  header.writeUInt32LE(bytes.length, 5)
  header.writeUIntLE((bytes.length << 3) | 1, 9, 3) // last block, raw
  return Buffer.concat([header, bytes])
}
