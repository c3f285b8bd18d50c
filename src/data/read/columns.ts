/** The file's own column names for ours: renamed, gathered into a list, or left out. */
import type { RawRow } from '../formats/format.js'
import { structuralFault } from './row-fault.js'

/** Our column name -> the name that it has in the file, the names of a list's parts, or null to leave the column out. */
export type Columns = Readonly<Record<string, string | readonly string[] | null>>

/** Names under which the two answers of a pair are published. */
const PAIRS: readonly (readonly [chosen: string, rejected: string])[] = [
  ...['response', 'answer', 'output', 'completion', 'text'].flatMap((what) => [
    [`chosen_${what}`, `rejected_${what}`] as const,
    [`${what}_chosen`, `${what}_rejected`] as const,
    [`preferred_${what}`, `dispreferred_${what}`] as const,
    [`${what}_w`, `${what}_l`] as const,
  ]),
  ['preferred', 'dispreferred'],
  ['accepted', 'rejected'],
  ['better', 'worse'],
  ['good', 'bad'],
  ['y_w', 'y_l'],
]

/** A pair under other names becomes `chosen` and `rejected`, where both are text or messages. */
export function withPairNames(row: RawRow): RawRow {
  if ('chosen' in row) return row
  const isAnswer = (value: unknown) =>
    typeof value === 'string' || (typeof value === 'object' && value !== null)
  const found = PAIRS.find((names) => names.every((name) => isAnswer(row[name])))
  if (!found) return row
  const { [found[0]]: chosen, [found[1]]: rejected, ...rest } = row
  return { ...rest, chosen, rejected }
}

/**
 * The row under our names. Parts that become a list are known to a label by their names.
 * @throws RowFault (structural) for a column that is not there
 */
export function renameColumns(row: RawRow, columns: Columns): RawRow {
  const renamed = { ...row }
  const take = (theirs: string, ours: string) => {
    if (!(theirs in row)) {
      const found = Object.keys(row).slice(0, 12).join(', ') || 'none'
      const reason = `there is no column "${theirs}" for ${ours} (columns found: ${found})`
      throw structuralFault('missing_field', reason)
    }
    if (!(theirs in columns)) delete renamed[theirs]
    return row[theirs]
  }
  for (const [ours, theirs] of Object.entries(columns)) {
    if (theirs === null) delete renamed[ours]
    else if (typeof theirs === 'string') renamed[ours] = take(theirs, ours)
    else {
      renamed[ours] = theirs.map((name) => take(name, ours))
      if (!('models' in columns) && !('models' in row)) renamed.models = [...theirs]
    }
  }
  return renamed
}
