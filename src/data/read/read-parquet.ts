/** Parquet in, one object a row out, a row group at a time. */
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { ClhaError, usageError } from '../../errors.js'
import { NOT_TEXT } from '../formats/messages.js'
import { checkFooter, checkPages } from './parquet-checks.js'
import type { Piece } from './read-lines.js'
import { parseRowJson } from './strict-row.js'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes that are no text are a fault of the rows that need them, not of the file. */
const parsers = {
  stringFromBytes(bytes: Uint8Array): unknown {
    if (!bytes) return undefined
    try {
      return decoder.decode(bytes)
    } catch {
      return NOT_TEXT
    }
  },
  jsonFromBytes(bytes: Uint8Array): unknown {
    if (!bytes) return undefined
    try {
      return parseRowJson({ row: 0, byteOffset: 0, bytes: Buffer.from(bytes) })
    } catch {
      return NOT_TEXT
    }
  },
}

/**
 * Rows of a Parquet file; memory holds one row group. Whole numbers beyond 2^53 stay BigInt, dates become ISO text.
 * @throws ClhaError (usage) where the file is damaged, encrypted, or uses what is not known here
 */
export async function* readParquet(file: string): AsyncGenerator<Piece> {
  const source = await asyncBufferFromFile(file)
  const metadata = await attempt(file, 'the footer', async () => {
    const footer = await parquetMetadataAsync(source, { geoparquet: false })
    checkFooter(file, footer)
    return footer
  })
  let rowStart = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows)
    const rows = await attempt(file, `rows ${rowStart + 1} to ${rowEnd}`, async () => {
      await checkPages(source, group)
      return readRows(source, metadata, rowStart, rowEnd)
    })
    for (let i = 0; i < rows.length; i++) yield { row: rowStart + i + 1, value: plain(rows[i]) }
    rowStart = rowEnd
  }
}

async function readRows(source: AsyncBuffer, metadata: FileMetaData, rowStart: number, rowEnd: number) {
  const guarded = sourceOf(source)
  try {
    const rows = { metadata, rowStart, rowEnd }
    const how = { compressors, parsers, geoparquet: false }
    return await parquetReadObjects({ file: guarded.source, ...rows, ...how })
  } catch (error) {
    guarded.stop()
    throw error
  }
}

async function attempt<T>(file: string, what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof ClhaError) throw error
    const reason = (error as Error).message.replace(/^parquet /, '')
    throw usageError(
      `${file}: ${what} of this Parquet file cannot be read: ${reason}`,
      'Fetch or write the file again.',
    )
  }
}

/**
 * The file for one reading. The library starts all columns at once: where one of them stops it at its start, the others are
 * left waiting, so that none fails with nobody to hear it.
 */
function sourceOf(source: AsyncBuffer) {
  let stopped = false
  const slice = async (start: number, end?: number): Promise<ArrayBuffer> => {
    const bytes = await source.slice(start, end)
    return stopped ? new Promise<never>(() => {}) : bytes
  }
  const stop = () => {
    stopped = true
  }
  return { source: { byteLength: source.byteLength, slice }, stop }
}

/** A value as JSON would have it. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Uint8Array) return NOT_TEXT
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, plain)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
