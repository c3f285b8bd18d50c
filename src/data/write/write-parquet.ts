/** Rows out as Parquet with real columns: text, numbers, lists, and messages as lists of {role, content}. */
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { usageError } from '../../errors.js'
import { hasShape, type RawRow } from '../formats/format.js'

/** Rows in memory at once, and in a row group. */
const GROUP = 1000

const optional = (name: string, type: 'DOUBLE' | 'INT32' | 'BOOLEAN'): SchemaElement => ({
  name,
  type,
  repetition_type: 'OPTIONAL',
})
const text = (name: string): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'OPTIONAL',
})
const listOf = (name: string, element: SchemaElement[]): SchemaElement[] => [
  { name, converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
]
const messages = (name: string) =>
  listOf(name, [
    { name: 'element', repetition_type: 'OPTIONAL', num_children: 2 },
    text('role'),
    text('content'),
  ])

/** The columns that rows may have; `text` where the file's first row has text there, else messages. */
const COLUMNS: Record<string, (value: unknown) => SchemaElement[]> = {
  id: () => [text('id')],
  source: () => [text('source')],
  annotator: () => [text('annotator')],
  ...Object.fromEntries(
    ['prompt', 'chosen', 'rejected', 'completion', 'messages'].map((name) => [
      name,
      (value: unknown) => (typeof value === 'string' ? [text(name)] : messages(name)),
    ]),
  ),
  score_chosen: () => [optional('score_chosen', 'DOUBLE')],
  score_rejected: () => [optional('score_rejected', 'DOUBLE')],
  completions: () => listOf('completions', [text('element')]),
  rewards: () => listOf('rewards', [optional('element', 'DOUBLE')]),
  ranks: () => listOf('ranks', [optional('element', 'INT32')]),
  votes: () => listOf('votes', [optional('element', 'INT32')]),
  models: () => listOf('models', [text('element')]),
  label: () => [optional('label', 'BOOLEAN')],
}

export interface RowSink {
  write(row: RawRow): void
  finish(): void
}

/**
 * A Parquet file that goes to `write` a row group at a time.
 * @param columns the columns that the format may have; those that the first row lacks stay empty
 * @throws ClhaError (usage) for a row with text where the first row has messages, or the reverse
 */
export function parquetSink(write: (bytes: Uint8Array) => void, columns: readonly string[]): RowSink {
  const writer = new ByteWriter()
  const handOver = () => {
    write(writer.getBytes())
    writer.index = 0
  }
  let parquet: ParquetWriter | undefined
  let rows: RawRow[] = []
  let first: RawRow = {}
  const flush = () => {
    parquet ??= new ParquetWriter({ writer, schema: schemaOf(columns, first), createdBy: 'clha' })
    if (rows.length > 0) {
      const columnData = columns.map((name) => ({ name, data: rows.map((row) => row[name]) }))
      parquet.write({ columnData, rowGroupSize: GROUP })
      handOver()
    }
    rows = []
  }
  return {
    write(row) {
      if (rows.length === 0 && !parquet) first = row
      checkKind(row, first)
      rows.push(row)
      if (rows.length === GROUP) flush()
    },
    finish() {
      flush()
      parquet?.finish()
      handOver()
    },
  }
}

function schemaOf(columns: readonly string[], first: RawRow): SchemaElement[] {
  const elements = columns.flatMap((name) => COLUMNS[name](first[name]))
  return [{ name: 'root', num_children: columns.length }, ...elements]
}

function checkKind(row: RawRow, first: RawRow): void {
  if (hasShape(row.prompt, 'string') === hasShape(first.prompt, 'string')) return
  const hint = 'Write JSON lines, or split the data.'
  throw usageError(`${row.id}: a Parquet column holds prompts as text or as messages, not both`, hint)
}
