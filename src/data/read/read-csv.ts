/** Tables as text (CSV, TSV; RFC 4180) in, one record a row out, with the line where it starts. */
import { pipeline, Readable } from 'node:stream'
import { CsvError, type Info, parse } from 'csv-parse'
import { usageError } from '../../errors.js'
import { LINE_LIMIT, type Piece } from './read-lines.js'
import { structuralFault } from './row-fault.js'

/**
 * Rows of a table whose first record names the columns. All values are strings. A record with too many or too few
 * fields is a fault of that row; broken quotes are an error, because nothing behind them is certain.
 * @throws ClhaError (usage) for broken quotes, bytes that are not UTF-8, and columns that are named twice or not at all
 */
export async function* readCsv(
  file: string,
  chunks: AsyncIterable<Buffer>,
  delimiter: ',' | '\t',
): AsyncGenerator<Piece> {
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    max_record_size: LINE_LIMIT,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
  })
  pipeline(Readable.from(checkUtf8(file, chunks)), parser, () => {}) // errors surface in the loop below
  let columns: string[] | undefined
  let row = 0
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      // The parser counts to the line where the record ends; lines end in quoted fields only.
      const line = info.lines - record.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0)
      if (columns) yield tableRow(columns, record, ++row, line)
      else columns = checkHeader(file, record)
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const hint =
      'A field with a quote, a separator or a line end stands in quotes, and quotes in it are doubled.'
    throw usageError(`${file}: ${error.message}`, hint)
  }
}

function tableRow(columns: string[], record: string[], row: number, line: number): Piece {
  if (record.length !== columns.length) {
    const reason = `${record.length} fields, the header names ${columns.length}`
    return { row, line, fault: structuralFault('wrong_columns', reason) }
  }
  const cells = columns.map((column, i): [string, string] => [column, record[i]])
  return { row, line, value: Object.fromEntries(cells.filter(([column]) => column !== '')) }
}

/** Columns without a name are left out: some writers put an index there. */
function checkHeader(file: string, columns: string[]): string[] {
  const twice = columns.find((column, i) => column !== '' && columns.indexOf(column) !== i)
  const fault = twice !== undefined ? `the column "${twice}" stands twice` : unreadableName(columns)
  if (fault) throw usageError(`${file}: ${fault} in the first line`, 'The first line names the columns.')
  return columns
}

function unreadableName(columns: string[]): string | undefined {
  if (columns.includes('__proto__')) return 'the column name "__proto__" is not allowed'
  return columns.every((column) => column === '') ? 'there is no column name' : undefined
}

async function* checkUtf8(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let position = 0
  const check = (chunk?: Buffer) => {
    try {
      decoder.decode(chunk, { stream: chunk !== undefined })
    } catch {
      throw usageError(`${file}: not UTF-8 after byte ${position}`, 'Convert it to UTF-8.')
    }
  }
  for await (const chunk of chunks) {
    check(chunk)
    position += chunk.length
    yield chunk
  }
  check()
}
