/** Compressed bytes in, bytes out: gzip and zstd, streamed, with any number of members or frames. */
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import xxhash from 'xxhash-wasm'
import { usageError } from '../../errors.js'
import { zstdBlocks } from './zstd-blocks.js'

const AGAIN = 'Fetch or pack the file again.'

export const isGzip = (head: Uint8Array) => head[0] === 0x1f && head[1] === 0x8b

export const isZstd = (head: Uint8Array) =>
  head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd

/** @throws ClhaError (usage) where the stream is damaged or cut off */
export async function* gunzip(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const stream = createGunzip()
  pipeline(Readable.from(chunks), stream, () => {}) // errors surface in the loop below
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    throw usageError(`${file}: damaged gzip: ${(error as Error).message}`, AGAIN)
  }
}

/**
 * Node 20 has no zstd of its own. The library checks the structure; the checksum behind a frame (the low half of XXH64) is
 * checked here. It gets one block (at most 128 KiB unpacked) at a time, so that memory holds the window and a block, however
 * far a file unpacks.
 * @throws ClhaError (usage) where the stream is damaged or cut off, or a frame asks for a window above 128 MiB
 */
export async function* unzstd(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let unpacked: Buffer[] = []
  const stream = new Decompress(({ buffer, byteOffset, length }) => {
    if (length > 0) unpacked.push(Buffer.from(buffer, byteOffset, length))
  })
  const push = (chunk: Uint8Array, final: boolean) => {
    unpacked = []
    try {
      stream.push(chunk, final)
    } catch (error) {
      throw usageError(`${file}: damaged zstd: ${(error as Error).message}`, AGAIN)
    }
    return unpacked
  }
  const { create64 } = await xxhash()
  let hash = create64()
  for await (const { is, bytes } of zstdBlocks(file, chunks)) {
    if (is === 'frame') hash = create64()
    const found = push(bytes, false)
    for (const piece of found) hash.update(piece)
    if (is === 'checksum' && Number(hash.digest() & 0xffffffffn) !== bytes.readUInt32LE(0))
      throw usageError(`${file}: damaged zstd: a frame's checksum is wrong`, AGAIN)
    yield* found
  }
  yield* push(new Uint8Array(0), true)
}
