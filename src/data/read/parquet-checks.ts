/** What is looked at before a Parquet file is unpacked: its footer, and the sizes and checksums of its pages. */
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet'
import { usageError } from '../../errors.js'
import { crc32 } from '../../files/crc32.js'
import { pageHeaderAt } from './parquet-page-header.js'

/** Rows of a group and values of a page: a file of a few bytes can announce any number of them. */
export const MOST_ROWS = 2 ** 24
/** Unpacked bytes of one page, and of one group. */
const LARGEST_PAGE = 2 ** 28
const LARGEST_GROUP = 2 ** 32

/**
 * The numbers and paths of the footer, which the reader takes as they are.
 * @throws ClhaError (usage) for encrypted columns and names that are not allowed; Error for what is damaged
 */
export function checkFooter(file: string, metadata: FileMetaData): void {
  const chunks = metadata.row_groups.flatMap((group) => group.columns)
  if (chunks.some((chunk) => chunk.crypto_metadata !== undefined)) {
    throw usageError(`${file}: columns of this Parquet file are encrypted`, 'Write it without encryption.')
  }
  if (metadata.schema.some(({ name }) => name === '__proto__')) {
    throw usageError(`${file}: the column name "__proto__" is not allowed`, 'Rename the column.')
  }
  const tree = parquetSchema(metadata)
  let rows = 0n
  for (const group of metadata.row_groups) {
    rows += whole(group.num_rows, 'rows of a group')
    if (group.num_rows > MOST_ROWS) {
      throw new Error(`a row group has ${group.num_rows} rows; the limit is ${MOST_ROWS}`)
    }
    for (const { meta_data } of group.columns) checkChunk(meta_data, tree)
  }
  const announced = whole(metadata.num_rows, 'rows')
  if (rows !== announced) throw new Error(`${announced} rows are announced, the row groups have ${rows}`)
}

function whole(value: unknown, what: string): bigint {
  if (typeof value === 'bigint' && value >= 0n) return value
  throw new Error(`the number of ${what} is ${typeof value === 'bigint' ? value : 'no 64-bit number'}`)
}

function checkChunk(chunk: ColumnMetaData | undefined, tree: SchemaTree): void {
  if (chunk === undefined) throw new Error('a column chunk has no description')
  whole(chunk.num_values, 'values of a column')
  whole(chunk.total_compressed_size, 'bytes of a column')
  whole(chunk.data_page_offset, 'the first page')
  if (chunk.dictionary_page_offset !== undefined) whole(chunk.dictionary_page_offset, 'the dictionary page')
  let place: SchemaTree | undefined = tree
  for (const name of chunk.path_in_schema)
    place = place?.children.find(({ element }) => element.name === name)
  if (place === undefined || place.children.length > 0 || chunk.path_in_schema.length === 0) {
    throw new Error(`there is no column "${chunk.path_in_schema.join('.')}" in its schema`)
  }
}

/**
 * Sizes and CRC-32 of the pages of a row group. Where a page header can't be read, the reader says what is wrong.
 * @throws Error for a checksum that does not fit, and for pages that would unpack beyond the limits
 */
export async function checkPages(source: AsyncBuffer, { columns }: RowGroup): Promise<void> {
  let total = 0
  for (const { meta_data: chunk } of columns) {
    if (chunk === undefined) continue
    const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset)
    const end = Math.min(source.byteLength, start + Number(chunk.total_compressed_size))
    if (start >= end) continue
    const bytes = new Uint8Array(await source.slice(start, end))
    total += checkChunkPages(bytes, chunk)
    if (total > LARGEST_GROUP) throw new Error('a row group unpacks to more than 4 GiB')
  }
}

/** @returns bytes that the pages unpack to */
function checkChunkPages(bytes: Uint8Array, chunk: ColumnMetaData): number {
  const column = chunk.path_in_schema.join('.')
  let total = 0
  let values = 0
  for (let at = 0; at < bytes.length && values < Number(chunk.num_values); ) {
    const page = pageHeaderAt(bytes, at)
    if (page === undefined || page.end + page.compressed > bytes.length) return total
    if (page.uncompressed > LARGEST_PAGE) {
      throw new Error(
        `a page of "${column}" unpacks to ${page.uncompressed} bytes; the limit is ${LARGEST_PAGE}`,
      )
    }
    if (page.items > MOST_ROWS) {
      throw new Error(`a page of "${column}" has ${page.items} values; the limit is ${MOST_ROWS}`)
    }
    const data = bytes.subarray(page.end, page.end + page.compressed)
    if (page.crc !== undefined && crc32(data) !== page.crc >>> 0) {
      throw new Error(`the checksum of a page of "${column}" does not fit: its bytes have changed`)
    }
    total += page.uncompressed
    values += page.values
    at = page.end + page.compressed
  }
  return total
}
