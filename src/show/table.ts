/** Tables as data: written once, shown as HTML, as Markdown, or as aligned columns in the terminal. */
import { displayWidth, oneLine } from './printable.js'
import { figure, MISSING } from './units.js'

export interface Column {
  label: string
  /** Numbers are set flush right with figures of one width. */
  numeric?: boolean
}

export interface Table {
  caption: string
  columns: Column[]
  rows: string[][]
}

/** A table without a name, for a place that says what it shows. */
export type Cells = Pick<Table, 'columns' | 'rows'>

export const text = (label: string): Column => ({ label })
export const numeric = (label: string): Column => ({ label, numeric: true })

export type Cell = string | number | boolean | null | undefined

export type Row = Record<string, Cell>

/** One key of the rows as a column. */
export interface Field {
  key: string
  /** Shown above; the key when left out. */
  title?: string
  /** Numbers stand on the right when left out. */
  align?: 'left' | 'right'
  /** How a value is written; numbers get three significant digits when left out. */
  format?(value: Cell): string
}

/** Rows of values as a table. */
export function tableOf(rows: readonly Row[], fields: readonly Field[]): Cells {
  const isNumeric = ({ key, align }: Field) =>
    align
      ? align === 'right'
      : rows.length > 0 && rows.every((row) => typeof row[key] === 'number' || row[key] == null)
  return {
    columns: fields.map((field) => ({ label: field.title ?? field.key, numeric: isNumeric(field) })),
    rows: rows.map((row) => fields.map((field) => write(row[field.key], field))),
  }
}

/** The lines of a table, the labels first: aligned columns, no lines between; closer together where `room` columns are too few. */
export function tableLines({ columns, rows }: Cells, room = Number.POSITIVE_INFINITY): string[] {
  const cells = [
    columns.map(({ label }) => label),
    ...rows.map((row) => row.map((cell) => oneLine(cell, 80))),
  ]
  const widths = columns.map((_, c) => Math.max(...cells.map((line) => displayWidth(line[c]))))
  const total = (gap: number) => widths.reduce((sum, width) => sum + width + gap, -gap)
  const gap = total(2) > room ? ' ' : '  '
  return cells.map((line) =>
    line
      .map((cell, c) => {
        const space = ' '.repeat(widths[c] - displayWidth(cell))
        return columns[c].numeric ? space + cell : cell + space
      })
      .join(gap)
      .trimEnd(),
  )
}

function write(value: Cell, field: Field): string {
  if (field.format) return field.format(value)
  if (value === null || value === undefined) return MISSING
  return typeof value === 'number' ? figure(value) : String(value)
}
