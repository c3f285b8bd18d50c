/** A plain table: aligned columns, no lines. */
import { displayWidth, oneLine } from './printable.js'
import { figure } from './units.js'

export type Cell = string | number | boolean | null | undefined

export interface Column {
  key: string
  /** Shown above; the key when left out. */
  title?: string
  /** Numbers stand on the right when left out. */
  align?: 'left' | 'right'
  /** How a value is written; numbers get three significant digits when left out. */
  format?(value: Cell): string
}

export type Row = Record<string, Cell>

/** The lines of a table, the titles first. */
export function tableLines(rows: readonly Row[], columns: readonly Column[]): string[] {
  const cells = rows.map((row) => columns.map((column) => oneLine(write(row[column.key], column), 80)))
  const titles = columns.map((column) => column.title ?? column.key)
  const widths = columns.map((_, c) => Math.max(...[titles, ...cells].map((line) => displayWidth(line[c]))))
  const right = columns.map(({ key, align }) =>
    align
      ? align === 'right'
      : rows.length > 0 && rows.every((row) => typeof row[key] === 'number' || row[key] == null),
  )
  return [titles, ...cells].map((line) =>
    line
      .map((cell, c) => {
        const space = ' '.repeat(widths[c] - displayWidth(cell))
        return right[c] ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd(),
  )
}

function write(value: Cell, column: Column): string {
  if (column.format) return column.format(value)
  if (value === null || value === undefined) return '–'
  return typeof value === 'number' ? figure(value) : String(value)
}
