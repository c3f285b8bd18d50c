/** All data formats, in the order in which they are tried. */
import { usageError } from '../../errors.js'
import { structuralFault } from '../read/row-fault.js'
import { alpacaOutputFormat, alpacaPairFormat } from './alpaca.js'
import { answerColumnsFormat, shpFormat } from './answers/answer-columns.js'
import { answerListFormat, answerMapFormat, answerObjectsFormat } from './answers/answer-lists.js'
import { chosenListsFormat, dialogueAnswersFormat } from './answers/chosen-lists.js'
import { type DataFormat, hasShape, type RawRow, unmetNeeds } from './format.js'
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

/** With two answers or more. */
const COMPARED: readonly DataFormat[] = [
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
  dialogueAnswersFormat,
  chosenListsFormat,
  shpFormat,
  answerColumnsFormat,
  answerObjectsFormat,
  answerMapFormat,
  answerListFormat,
]

/** With one answer. */
const SINGLE: readonly DataFormat[] = [
  ...UNPAIRED_FORMATS,
  promptCompletionFormat,
  messagesFormat,
  sharegptFormat,
  alpacaFormat,
  textFormat,
]

export const FORMATS: readonly DataFormat[] = [...COMPARED, ...SINGLE]

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
    if (forced.detect(row) || unmetNeeds(row, forced.needs).length === 0) return forced
    throw structuralFault('unknown_format', `not in the format ${forced.name}: ${explain(row, forced)}`)
  }
  const formats = promptsOnly ? [...COMPARED, ...PROMPT_FORMATS, ...SINGLE] : FORMATS
  const format = formats.find((candidate) => candidate.detect(row))
  if (format) return format
  const nearest = [...formats].sort((a, b) => distance(row, a) - distance(row, b))[0]
  throw structuralFault(
    'unknown_format',
    `no known format; nearest is ${nearest.name}: ${explain(row, nearest)}`,
  )
}

const names = (columns: string) => columns.split('|')

/** The one of `a|b` that the row has, else the first. */
const nameIn = (row: RawRow, columns: string) =>
  names(columns).find((name) => name in row) ?? names(columns)[0]

/**
 * Share of the needed columns that are not right; a column that is there with another type counts half. A format that has
 * all it needs and is still not meant is far where the row has columns that it does not know.
 */
function distance(row: RawRow, format: DataFormat): number {
  const needed = Object.keys(format.needs)
  const unmet = unmetNeeds(row, format.needs)
  const cost = unmet.reduce((sum, column) => sum + (nameIn(row, column) in row ? 0.5 : 1), 0)
  if (unmet.length === 0) return unknownColumns(row, format).length > 0 ? 0.4 : 0
  return cost / needed.length
}

/** Columns of text or messages that the format does not ask for. */
function unknownColumns(row: RawRow, { needs }: DataFormat): string[] {
  const known = new Set([...Object.keys(needs).flatMap(names), 'id', 'source', 'subset', 'system'])
  return Object.keys(row).filter(
    (column) => !known.has(column) && hasShape(row[column], 'string or messages'),
  )
}

function explain(row: RawRow, format: DataFormat): string {
  const columns = Object.keys(row)
  const unmet = unmetNeeds(row, format.needs)
  const wants = unmet.map((column) => {
    const name = nameIn(row, column)
    return `${name} has to be ${format.needs[column]}, is ${typeName(row[name])}`
  })
  const spare = unknownColumns(row, format)
  if (unmet.length === 1 && spare.length === 1 && !names(unmet[0]).some((name) => name in row)) {
    wants.push(`if ${spare[0]} is that: columns: {${names(unmet[0])[0]}: ${spare[0]}}`)
  }
  const found = columns.length > 0 ? columns.slice(0, 12).join(', ') : 'none'
  const why = wants.length > 0 ? wants.join('; ') : (format.speaksAgainst ?? 'other columns speak against it')
  return `${why} (columns found: ${found}${columns.length > 12 ? ', …' : ''})`
}
