/** All data formats, in the order in which they are tried. */
import { usageError } from '../../errors.js'
import { structuralFault } from '../read/row-fault.js'
import { alpacaOutputFormat, alpacaPairFormat } from './alpaca.js'
import { type DataFormat, type RawRow, unmetNeeds } from './format.js'
import { hhFormat } from './hh.js'
import { UNPAIRED_FORMATS } from './kto.js'
import { listwiseFormat } from './listwise.js'
import { messagesPairFormat, openaiFormat, sharegptPairFormat } from './message-pairs.js'
import { typeName } from './messages.js'
import { PROMPT_FORMATS } from './prompts.js'
import { orcaFormat, rewardBenchFormat } from './question-pairs.js'
import { proFormat, rrhfFormat } from './ranked-files.js'
import { alpacaFormat, messagesFormat, promptCompletionFormat, sharegptFormat, textFormat } from './sft.js'
import { trlConversationalFormat, trlImplicitFormat } from './trl-conversational.js'
import { trlStringFormat } from './trl-string.js'

export const FORMATS: readonly DataFormat[] = [
  listwiseFormat,
  proFormat,
  rrhfFormat,
  rewardBenchFormat,
  trlStringFormat,
  trlConversationalFormat,
  trlImplicitFormat,
  sharegptPairFormat,
  messagesPairFormat,
  openaiFormat,
  orcaFormat,
  alpacaPairFormat,
  alpacaOutputFormat,
  hhFormat,
  ...UNPAIRED_FORMATS,
  promptCompletionFormat,
  messagesFormat,
  sharegptFormat,
  alpacaFormat,
  textFormat,
]

/** The names that `dataset_format` takes. */
export const FORMAT_NAMES = FORMATS.map((format) => format.name)

/** @throws ClhaError (usage) when there is no format of that name */
export function formatByName(name: string): DataFormat {
  const format = FORMATS.find((candidate) => candidate.name === name)
  if (format) return format
  throw usageError(`no data format "${name}"`, `Formats: ${FORMAT_NAMES.join(', ')}`)
}

/**
 * The format of a row. With `forced`, that format, if the row has its columns; without answers (`promptsOnly`) a
 * prompt alone is one as well.
 * @throws RowFault (structural) naming the columns found and the nearest format
 */
export function formatOf(row: RawRow, forced?: DataFormat, promptsOnly = false): DataFormat {
  if (forced) {
    if (unmetNeeds(row, forced.needs).length === 0) return forced
    throw structuralFault('unknown_format', `not in the format ${forced.name}: ${explain(row, forced)}`)
  }
  const formats = promptsOnly ? [...PROMPT_FORMATS, ...FORMATS] : FORMATS
  const format = formats.find((candidate) => candidate.detect(row))
  if (format) return format
  const nearest = [...formats].sort((a, b) => distance(row, a) - distance(row, b))[0]
  throw structuralFault(
    'unknown_format',
    `no known format; nearest is ${nearest.name}: ${explain(row, nearest)}`,
  )
}

/** Share of the needed columns that are not right; a column that is there with another type counts half. */
function distance(row: RawRow, format: DataFormat): number {
  const unmet = unmetNeeds(row, format.needs)
  const cost = unmet.reduce((sum, column) => sum + (column in row ? 0.5 : 1), 0)
  return cost / Object.keys(format.needs).length
}

function explain(row: RawRow, format: DataFormat): string {
  const columns = Object.keys(row)
  const unmet = unmetNeeds(row, format.needs)
  const wants = unmet.map(
    (column) => `${column} has to be ${format.needs[column]}, is ${typeName(row[column])}`,
  )
  const found = columns.length > 0 ? columns.slice(0, 12).join(', ') : 'none'
  const why = wants.length > 0 ? wants.join('; ') : (format.speaksAgainst ?? 'other columns speak against it')
  return `${why} (columns found: ${found}${columns.length > 12 ? ', …' : ''})`
}
