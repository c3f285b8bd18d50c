/** A zstd stream (RFC 8878) cut into its blocks, with what each frame asks for looked at before anything is unpacked. */
import { usageError } from '../../errors.js'

/** What the `zstd` tool takes without being told otherwise. */
const LARGEST_WINDOW = 2 ** 27
const LARGEST_BLOCK = 2 ** 17

/** `other`: skippable frames, and what is no zstd. */
export type ZstdPart = 'frame' | 'block' | 'checksum' | 'other'

interface Part {
  is: ZstdPart
  /** Bytes of the stream that belong together. */
  length: number
  /** What comes next. */
  next: 'frame' | 'block' | 'checksum'
  /** Of a frame and its blocks: whether a checksum ends it. */
  checksum: boolean
}

/**
 * Frame headers, blocks and checksums one by one; a block may come in pieces. What is no zstd, or cut off, comes out as it is:
 * the unpacking says what is wrong.
 * @throws ClhaError (usage) for a window above 128 MiB, a block above 128 KiB, and a frame that needs a dictionary
 */
export async function* zstdBlocks(
  file: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<{ is: ZstdPart; bytes: Buffer }> {
  let held: Buffer = Buffer.alloc(0)
  let part: Part = { is: 'other', length: 0, next: 'frame', checksum: false }
  /** Bytes of the part at hand that are still to come. */
  let left = 0
  for await (const chunk of chunks) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    for (;;) {
      if (left > 0) {
        const taken = held.subarray(0, left)
        if (taken.length > 0) yield { is: part.is, bytes: taken }
        held = held.subarray(taken.length)
        left -= taken.length
        if (left > 0) break
      }
      const found = partAt(file, held, part)
      if (found === undefined) break
      part = found
      left = found.length
    }
  }
  if (held.length > 0) yield { is: 'other', bytes: held }
}

/** The part that follows `before`; undefined where more bytes are needed. */
function partAt(file: string, bytes: Buffer, before: Part): Part | undefined {
  if (before.next === 'frame') return frameAt(file, bytes)
  if (before.next === 'block') return blockAt(file, bytes, before.checksum)
  return bytes.length < 4 ? undefined : { is: 'checksum', length: 4, next: 'frame', checksum: false }
}

/** A frame's header, or a whole skippable frame; undefined where more bytes are needed. */
function frameAt(file: string, bytes: Buffer): Part | undefined {
  if (bytes.length < 8) return undefined
  const magic = bytes.readUInt32LE(0)
  if (magic >>> 4 === 0x184d2a5)
    return { is: 'other', length: 8 + bytes.readUInt32LE(4), next: 'frame', checksum: false }
  if (magic !== 0xfd2fb528)
    return { is: 'other', length: Number.POSITIVE_INFINITY, next: 'frame', checksum: false }
  const flags = bytes[4]
  const single = (flags >> 5) & 1
  const dictionary = [0, 1, 2, 4][flags & 3]
  const size = [single, 2, 4, 8][flags >> 6]
  const at = 6 - single + dictionary
  if (bytes.length < at + size) return undefined
  if (bytes.subarray(at - dictionary, at).some((byte) => byte !== 0))
    throw usageError(`${file}: zstd with a dictionary, which is another file`, 'Pack it again without one.')
  const window = single ? contentSize(bytes, at, size) : windowSize(bytes[5])
  if (window > LARGEST_WINDOW) {
    const what = `zstd with a window of ${Math.round(window / 2 ** 20)} MiB; the limit is ${LARGEST_WINDOW / 2 ** 20} MiB`
    throw usageError(`${file}: ${what}`, 'Pack it again without --long, or with --long=27.')
  }
  return { is: 'frame', length: at + size, next: 'block', checksum: (flags & 4) !== 0 }
}

function contentSize(bytes: Buffer, at: number, size: number): number {
  if (size === 8) return Number(bytes.readBigUInt64LE(at))
  return bytes.readUIntLE(at, size) + (size === 2 ? 256 : 0)
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function blockAt(file: string, bytes: Buffer, checksum: boolean): Part | undefined {
  if (bytes.length < 3) return undefined
  const header = bytes.readUIntLE(0, 3)
  const size = header >> 3
  if (size > LARGEST_BLOCK) {
    throw usageError(`${file}: damaged zstd: a block of ${size} bytes`, 'Fetch or pack the file again.')
  }
  const isLast = (header & 1) === 1
  const length = 3 + (((header >> 1) & 3) === 1 ? 1 : size)
  if (!isLast) return { is: 'block', length, next: 'block', checksum }
  return { is: 'block', length, next: checksum ? 'checksum' : 'frame', checksum }
}
