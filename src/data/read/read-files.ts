/** Which files a path means, whether they can be read, and their rows. */
import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { usageError } from '../../errors.js'
import { isSideFile } from '../side-files.js'
import { gunzip, isGzip, isZstd, unzstd } from './compression.js'
import { firstByteOffset, splitArray } from './read-array.js'
import { readCsv } from './read-csv.js'
import { type Piece, splitLines } from './read-lines.js'

const READABLE = /\.(?:(jsonl|ndjson|json|csv|tsv)(?:\.(?:gz|zst))?|(parquet))$/

const NAMES = '.jsonl, .json, .csv and .tsv (also .gz and .zst) and .parquet'

const CONVERT = 'Convert it to JSON lines first, one object a line, named .jsonl or .jsonl.gz.'

/** What a file's first bytes say it is, where that is nothing to read here. */
const MAGIC: [name: string, bytes: number[], hint: string][] = [
  ['a zip archive (.pt, .npz and .xlsx files are zip too)', [0x50, 0x4b, 0x03, 0x04], CONVERT],
  ['a NumPy array', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], CONVERT],
  ['an Arrow file', [...Buffer.from('ARROW1')], 'Write it as Parquet or JSON lines.'],
  ['a Parquet file', [...Buffer.from('PAR1')], 'Name it .parquet, and do not compress it once more.'],
  ['an encrypted Parquet file', [...Buffer.from('PARE')], 'Write it without encryption.'],
  ['compressed with bzip2', [...Buffer.from('BZh')], 'Compress it with gzip or zstd.'],
  ['compressed with xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a], 'Compress it with gzip or zstd.'],
  ['UTF-16 text', [0xff, 0xfe], 'Convert it to UTF-8.'],
  ['UTF-16 text', [0xfe, 0xff], 'Convert it to UTF-8.'],
  ['a Git LFS pointer, not the data', [...Buffer.from('version https://git-lfs')], 'Fetch it: git lfs pull'],
]

const startsWith = (head: Uint8Array, bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte)

const emptyFile = (file: string) =>
  usageError(`${file}: the file is empty`, 'Give a file with at least one row.')

/** A data file's name without what says how it is packed. */
export const fileStem = (file: string) => basename(file).replace(READABLE, '')

/**
 * The files that `paths` mean, in the order given; folders are searched in depth and sorted by name, without what clha
 * itself wrote beside data.
 * @throws ClhaError (usage) for a missing path, a folder without data files, or one file named twice
 */
export async function listFiles(paths: string | readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const path of typeof paths === 'string' ? [paths] : paths) {
    const found = await stat(path).catch(() => undefined)
    if (!found) throw usageError(`${path}: no such file or folder`, 'Check the path of the data.')
    if (!found.isDirectory() && !found.isFile()) {
      throw usageError(
        `${path}: a pipe or a device, not a file`,
        'Data is read twice: write it to a file first.',
      )
    }
    const inside = found.isDirectory() ? await filesInFolder(path) : [path]
    if (inside.length === 0) {
      throw usageError(`${path}: no data file in this folder`, `Data files are ${NAMES}.`)
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
  const names = entries.map(({ name }) => name)
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.') || isSideFile(entry.name, names)) continue
    if (entry.isDirectory()) files.push(...(await filesInFolder(path)))
    else if (READABLE.test(entry.name) && (await stat(path)).isFile()) files.push(path)
  }
  return files
}

/**
 * The rows of a file: lines of JSON lines, elements of a JSON array, records of a table. The name tells the container;
 * gzip and zstd are seen by their bytes. Memory holds a row, of Parquet a row group.
 * @throws ClhaError (usage) where the file is none of these, is damaged, or is empty
 */
export async function* readPieces(file: string): AsyncGenerator<Piece> {
  const head = await readHead(file)
  if (head.length === 0) throw emptyFile(file)
  const [, text, parquet] = READABLE.exec(file) ?? []
  if (parquet && startsWith(head, [...Buffer.from('PAR1')])) {
    // Its codecs are WebAssembly, which reserves gigabytes of address space: only where they are needed.
    const { readParquet } = await import('./read-parquet.js')
    yield* readParquet(file)
    return
  }
  refuseBinary(file, head)
  if (parquet)
    throw usageError(`${file}: this is no Parquet file`, 'Fetch it again, or name it after what it is.')
  if (!text) throw usageError(`${file}: only ${NAMES} are read`, CONVERT)
  const chunks = checkedChunks(file, unpacked(file, head))
  if (text === 'csv' || text === 'tsv') yield* readCsv(file, chunks, text === 'csv' ? ',' : '\t')
  else if (text === 'json') yield* readJson(chunks)
  else yield* splitLines(chunks)
}

function unpacked(file: string, head: Uint8Array): AsyncIterable<Buffer> {
  const chunks = createReadStream(file) as AsyncIterable<Buffer>
  if (isGzip(head)) return gunzip(file, chunks)
  return isZstd(head) ? unzstd(file, chunks) : chunks
}

/** An array, or lines under the name of one: the first byte tells. */
async function* readJson(chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  const source = chunks[Symbol.asyncIterator]()
  try {
    let start: Buffer = Buffer.alloc(0)
    for (let next = await source.next(); !next.done; next = await source.next()) {
      start = start.length === 0 ? next.value : Buffer.concat([start, next.value])
      if (firstByteOffset(start) < start.length) break
    }
    const rest = chain(start, source)
    yield* start[firstByteOffset(start)] === 0x5b ? splitArray(rest) : splitLines(rest)
  } finally {
    await source.return?.()
  }
}

async function* chain(start: Buffer, source: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield start
  for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
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
    if (chunk.length === 0) continue
    if (first) refuseBinary(file, chunk)
    first = false
    yield chunk
  }
  if (first) throw emptyFile(file)
}
