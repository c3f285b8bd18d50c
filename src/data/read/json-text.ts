/** Message lists that went through a table: JSON text in place of a list. */
import { hasShape, type RawRow } from '../formats/format.js'
import { RowFault, structuralFault } from './row-fault.js'
import { parseRowJson } from './strict-row.js'

const MESSAGES = /^\s*(?:\[\s*)*\{\s*(["'])(?:role|from|content|value)\1\s*:/
const LIST = /^\s*\[[\s\S]*\]\s*$/
/** Bare text stays what it is, and these are no text of a dialogue. */
const KEPT = new Set(['text', 'id', 'source', 'subset'])
const LISTS = new Set(['completions', 'candidates', 'rewards', 'scores', 'ranks', 'models'])

/**
 * The row with message lists, and lists of answers and numbers, in place of their JSON text.
 * @throws RowFault (structural) for the text of a message list that is no JSON, as Python's str() writes it
 */
export function withParsedText(row: RawRow): RawRow {
  let parsed = row
  for (const [column, value] of Object.entries(row)) {
    if (typeof value !== 'string' || KEPT.has(column)) continue
    const list = listIn(column, value)
    if (list === undefined) continue
    if (parsed === row) parsed = { ...row }
    parsed[column] = list
  }
  return parsed
}

function listIn(column: string, text: string): unknown {
  const quote = MESSAGES.exec(text)?.[1]
  if (quote === "'") {
    const reason = `${column} is a message list as Python prints it`
    throw structuralFault('wrong_type', `${reason}; write it as a list, or as JSON text (json.dumps)`)
  }
  if (quote === undefined && !(LISTS.has(column) && LIST.test(text))) return undefined
  try {
    const value = parseRowJson({ row: 0, byteOffset: 0, bytes: Buffer.from(text) })
    return quote === undefined || isDialogue(value) ? value : undefined
  } catch (error) {
    if (!(error instanceof RowFault) || quote === undefined) throw error
    throw structuralFault('wrong_type', `${column} is the text of a message list, and ${error.message}`)
  }
}

const isDialogue = (value: unknown) =>
  hasShape(value, 'message') ||
  hasShape(value, 'messages') ||
  (Array.isArray(value) && value.length > 0 && value.every((item) => hasShape(item, 'messages')))
