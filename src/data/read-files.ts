/** Which files a path means, whether they can be read, and their rows as bytes. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { usageError } from '../errors.js'
import { firstByteOffset, splitArray } from './read-array.js'
import { type RawPiece, splitLines } from './read-lines.js'

const READABLE = /\.jsonl?(\.gz)?$/

const CONVERT = 'Convert it to JSON lines first, one object a line, named .jsonl or .jsonl.gz.'

/** What a file's first bytes say it is, where that is not text. */
const MAGIC: [name: string, bytes: number[], hint: string][] = [
  ['a zip archive (.pt, .npz and .xlsx files are zip too)', [0x50, 0x4b, 0x03, 0x04], CONVERT],
  ['a NumPy array', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], CONVERT],
  ['a Parquet file', [0x50, 0x41, 0x52, 0x31], CONVERT],
  ['compressed with zstd', [0x28, 0xb5, 0x2f, 0xfd], 'Unpack it, or compress it with gzip.'],
  ['UTF-16 text', [0xff, 0xfe], 'Convert it to UTF-8.'],
  ['UTF-16 text', [0xfe, 0xff], 'Convert it to UTF-8.'],
  ['a Git LFS pointer, not the data', [...Buffer.from('version https://git-lfs')], 'Fetch it: git lfs pull'],
]

const startsWith = (head: Uint8Array, bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte)

/**
 * The files that `paths` mean, in the order given; folders are searched in depth and sorted by name.
 * @throws ClhaError (usage) for a missing path, a folder without data files, or one file named twice
 */
export async function listFiles(paths: string | readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const path of typeof paths === 'string' ? [paths] : paths) {
    const found = await stat(path).catch(() => undefined)
    if (!found) throw usageError(`${path}: no such file or folder`, 'Check the path of the data.')
    const inside = found.isDirectory() ? await filesInFolder(path) : [path]
    if (inside.length === 0) {
      throw usageError(`${path}: no .jsonl or .json file (also .gz) in this folder`, CONVERT)
    }
    files.push(...inside)
  }
  const seen = new Map<string, string>()
  for (const file of files) {
    const twin = seen.get(resolve(file))
    if (twin !== undefined) throw usageError(`${file} is named twice in the data`, 'Name each file once.')
    seen.set(resolve(file), file)
  }
  return files
}

async function filesInFolder(folder: string): Promise<string[]> {
  const files: string[] = []
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.')) continue
    if (entry.isDirectory()) files.push(...(await filesInFolder(path)))
    else if (READABLE.test(entry.name) && (await stat(path)).isFile()) files.push(path)
  }
  return files
}

/** SHA-256 (hex) of the file as it lies on the disk. */
export async function sha256File(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * The rows of a file as bytes: lines of a .jsonl file; elements or lines of a .json file. Gzip is seen by its bytes.
 * @throws ClhaError (usage) where the file is no text, is damaged gzip, or is empty
 */
export async function* readPieces(file: string): AsyncGenerator<RawPiece> {
  const head = await readHead(file)
  if (head.length === 0) throw usageError(`${file}: the file is empty`, 'Give a file with at least one row.')
  const isGzip = startsWith(head, [0x1f, 0x8b])
  if (!isGzip) refuseBinary(file, head)
  if (!READABLE.test(file)) throw usageError(`${file}: only .jsonl and .json (also .gz) are read`, CONVERT)
  const chunks = isGzip ? gunzipped(file) : (createReadStream(file) as AsyncIterable<Buffer>)
  if (!/\.json(\.gz)?$/.test(file)) {
    yield* splitLines(checkedChunks(file, chunks))
    return
  }
  const parts: Buffer[] = []
  for await (const chunk of checkedChunks(file, chunks)) parts.push(chunk)
  const bytes = Buffer.concat(parts)
  if (bytes[firstByteOffset(bytes)] === 0x5b) yield* splitArray(bytes)
  else yield* splitLines(one(bytes))
}

async function* one(bytes: Buffer) {
  yield bytes
}

async function readHead(file: string): Promise<Buffer> {
  const handle = await open(file).catch((error: Error) => {
    throw usageError(`${file}: cannot be opened: ${error.message}`, 'Check the path and its permissions.')
  })
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

function refuseBinary(file: string, head: Uint8Array): void {
  // Pickle protocols 2 to 5 start with 0x80 and their number; nothing else that is text does.
  if (head[0] === 0x80 && head[1] >= 2 && head[1] <= 5) {
    const why = 'Pickle can run code when it is opened, so it is never opened here. '
    throw usageError(`${file}: this is a Python pickle`, why + CONVERT)
  }
  for (const [name, bytes, hint] of MAGIC) {
    if (startsWith(head, bytes)) throw usageError(`${file}: this is ${name}`, hint)
  }
}

/** The first chunk of an unpacked file is looked at as well: a pickle stays a pickle inside gzip. */
async function* checkedChunks(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first = true
  for await (const chunk of chunks) {
    if (first) refuseBinary(file, chunk)
    first = false
    yield chunk
  }
  if (first) throw usageError(`${file}: the file is empty`, 'Give a file with at least one row.')
}

async function* gunzipped(file: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip()
  pipeline(createReadStream(file), gunzip, () => {}) // errors surface in the loop below
  try {
    for await (const chunk of gunzip) yield chunk as Buffer
  } catch (error) {
    throw usageError(`${file}: damaged gzip: ${(error as Error).message}`, 'Fetch or pack the file again.')
  }
}
