/** Parquet in, one object a row out, a row group at a time. */
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { usageError } from '../../errors.js'
import { NOT_TEXT } from '../formats/messages.js'
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
  const metadata = await attempt(file, 'the footer', () =>
    parquetMetadataAsync(source, { geoparquet: false }),
  )
  checkMetadata(file, metadata)
  let rowStart = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows)
    const rows = await attempt(file, `rows ${rowStart + 1} to ${rowEnd}`, () =>
      parquetReadObjects({
        file: source,
        metadata,
        rowStart,
        rowEnd,
        compressors,
        parsers,
        geoparquet: false,
      }),
    )
    for (let i = 0; i < rows.length; i++) yield { row: rowStart + i + 1, value: plain(rows[i]) }
    rowStart = rowEnd
  }
}

async function attempt<T>(file: string, what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const reason = (error as Error).message.replace(/^parquet /, '')
    throw usageError(
      `${file}: ${what} of this Parquet file cannot be read: ${reason}`,
      'Fetch or write the file again.',
    )
  }
}

function checkMetadata(file: string, metadata: FileMetaData): void {
  const chunks = metadata.row_groups.flatMap((group) => group.columns)
  if (chunks.some((chunk) => chunk.crypto_metadata !== undefined || chunk.meta_data === undefined)) {
    throw usageError(`${file}: columns of this Parquet file are encrypted`, 'Write it without encryption.')
  }
  if (metadata.schema.some(({ name }) => name === '__proto__')) {
    throw usageError(`${file}: the column name "__proto__" is not allowed`, 'Rename the column.')
  }
  const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n)
  if (rows !== metadata.num_rows) {
    const counts = `${metadata.num_rows} rows are announced, the row groups have ${rows}`
    throw usageError(`${file}: this Parquet file is damaged: ${counts}`, 'Fetch or write the file again.')
  }
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
