/** Small Parquet files for the tests of the reader. */
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, type ColumnSource, parquetWrite } from 'hyparquet-writer'

interface ParquetOptions {
  schema?: SchemaElement[]
  rowGroupSize?: number
}

/** Columns as a Parquet file. */
export function parquet(columnData: ColumnSource[], options: ParquetOptions = {}): Buffer {
  const writer = new ByteWriter()
  parquetWrite({ writer, columnData, ...options })
  return Buffer.from(writer.getBuffer())
}

export const text = (name: string, data: unknown[]): ColumnSource => ({ name, data, type: 'STRING' })

/** Pairs as three text columns. */
export const pairColumns = (count: number): ColumnSource[] =>
  ['question', 'good', 'bad'].map((word, i) =>
    text(
      ['prompt', 'chosen', 'rejected'][i],
      Array.from({ length: count }, (_, n) => `${i === 0 ? '' : ' '}${word} ${n + 1}`),
    ),
  )
