/** One row, from bytes to an example with its place, id and source. */
import { basename, dirname, resolve } from 'node:path'
import type { Example } from '../example.js'
import type { DataFormat, FormatOptions, ParsedRow, RawRow } from '../formats/format.js'
import { typeName } from '../formats/messages.js'
import { formatOf } from '../formats/registry.js'
import { withTools } from '../formats/tool-calls.js'
import { type ContentNeeds, checkContent } from './check-content.js'
import { type Columns, renameColumns, withPairNames } from './columns.js'
import { withParsedText } from './json-text.js'
import { fileStem } from './read-files.js'
import type { Piece } from './read-lines.js'
import { structuralFault } from './row-fault.js'
import { parseRowJson } from './strict-row.js'

export interface RowOptions extends Omit<FormatOptions, 'rewardColumn'>, ContentNeeds {
  /** None: the usual names. */
  rewardColumns: readonly string[]
  columns: Columns
  forced?: DataFormat
}

export interface ReadRow {
  format: string
  /** The row has an id of its own. */
  explicitId: boolean
  example: Example
}

/** @throws RowFault */
export function readRow(file: string, piece: Piece, options: RowOptions): ReadRow {
  if ('fault' in piece) throw piece.fault
  const value = 'value' in piece ? piece.value : parseRowJson(piece)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw structuralFault('not_an_object', `the row is ${typeName(value)}, not an object`)
  }
  const named = withPairNames(renameColumns(value as RawRow, options.columns))
  const row = withParsedText(named, options.forced && textColumns(options.forced))
  const id = explicitId(row)
  const format = formatOf(row, options.forced, options.minCandidates === 0)
  const parsed = withRewards(format, row, options)
  checkContent(parsed, options)
  const example: Example = {
    id: id ?? `${file}:${piece.row}`,
    prompt: withTools(row, parsed.prompt),
    candidates: parsed.candidates,
    preferences: parsed.preferences,
    ...votesOf(row, parsed),
    source: sourceOf(row, file, format.name),
    file,
    row: piece.row,
  }
  return { format: format.name, explicitId: id !== undefined, example }
}

/** Columns that a format takes as text alone. */
const textColumns = ({ needs }: DataFormat) =>
  Object.keys(needs).flatMap((names) => (needs[names] === 'string' ? names.split('|') : []))

/** The row as its format reads it; where several columns hold rewards, once for each. */
function withRewards(format: DataFormat, row: RawRow, { splitter, rewardColumns }: RowOptions): ParsedRow {
  const [parsed, ...others] = [rewardColumns[0], ...rewardColumns.slice(1)].map((rewardColumn) =>
    format.toExample(row, { splitter, rewardColumn }),
  )
  if (others.length === 0) return parsed
  const rewardsOf = (k: number) =>
    [parsed, ...others].flatMap(({ candidates }, c): [string, number][] => {
      const { reward } = candidates[k]
      return reward === undefined ? [] : [[rewardColumns[c], reward]]
    })
  const candidates = parsed.candidates.map((one, k) => ({
    ...one,
    rewards: Object.fromEntries(rewardsOf(k)),
  }))
  return { ...parsed, candidates }
}

/** Several votes on a pair; or, where a column says who judged, that person's labels. */
function votesOf({ annotator }: RawRow, { votes, preferences }: ParsedRow): Pick<Example, 'votes'> {
  if (votes) return { votes }
  const named = (typeof annotator === 'string' && annotator !== '') || typeof annotator === 'number'
  if (!named || preferences.length === 0) return {}
  return { votes: preferences.map((p) => ({ ...p, count: 1, annotator: String(annotator) })) }
}

function explicitId(row: RawRow): string | undefined {
  const { id } = row
  if (id === undefined || id === null) return undefined
  if (typeof id === 'string' && id !== '') return id
  if (typeof id === 'bigint') return String(id)
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id)
  const advice = 'an id is text or a whole number; columns: {id: null} leaves the column out'
  throw structuralFault('wrong_type', `id is ${typeof id === 'number' ? id : typeName(id)}; ${advice}`)
}

/** A `source` or `subset` column, else the folder of an HH file (its subsets are folders), else the file's stem. */
function sourceOf(row: RawRow, file: string, format: string): string {
  for (const column of [row.source, row.subset])
    if (typeof column === 'string' && column !== '') return column
  const folder = basename(dirname(resolve(file)))
  if (format === 'hh' && folder !== '') return folder
  return fileStem(file)
}
