/** What can be wrong with one row, and how it is reported. */
import { count } from '../../show/units.js'

/** `structural`: the row cannot be read. `content`: it can, but there is nothing to learn from it. */
export type FaultKind = 'structural' | 'content'

/** One row that did not become an example. */
export interface ReadFault {
  file: string
  /** Line of a JSONL file, element of a JSON array, record of a table; counts from 1. */
  row: number
  /** Line where the row starts, in text files whose rows are not their lines. */
  line?: number
  /** Where the row (or, for bad UTF-8, the byte) stands in the uncompressed file. */
  byteOffset?: number
  kind: FaultKind
  /** Stable, snake_case. */
  code: string
  reason: string
}

/** Thrown while one row is parsed; the reader turns it into a `ReadFault`. */
export class RowFault extends Error {
  constructor(
    readonly kind: FaultKind,
    readonly code: string,
    reason: string,
    /** Byte offset inside the row, where known. */
    readonly byteInRow?: number,
  ) {
    super(reason)
    this.name = 'RowFault'
  }
}

export const structuralFault = (code: string, reason: string, byteInRow?: number) =>
  new RowFault('structural', code, reason, byteInRow)
export const contentFault = (code: string, reason: string) => new RowFault('content', code, reason)

/** `file:row (line n, byte n): reason`, one line. */
export function formatFault({ file, row, line, byteOffset, reason }: ReadFault): string {
  const places = [
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(byteOffset === undefined ? [] : [`byte ${byteOffset}`]),
  ]
  return `${file}:${row}${places.length > 0 ? ` (${places.join(', ')})` : ''}: ${reason}`
}

/** The first `limit` faults as lines, with the number of those left out. */
export function formatFaults(faults: readonly ReadFault[], limit = 20): string {
  const lines = faults.slice(0, limit).map((fault) => `  ${formatFault(fault)}`)
  if (faults.length > limit) lines.push(`  … and ${faults.length - limit} more`)
  return lines.join('\n')
}

/** `3 of 200 rows are left out`, and the first of them with their places. */
export const leftOutText = (faults: readonly ReadFault[], rows: number): string =>
  `${count(faults.length)} of ${count(rows)} rows are left out:\n${formatFaults(faults, 5)}`
