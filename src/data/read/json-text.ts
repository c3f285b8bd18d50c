/** Message lists that went through a table: JSON text in place of a list. */
import { isObject } from '../../files/json.js'
import type { RawRow } from '../formats/format.js'
import { RowFault, structuralFault } from './row-fault.js'
import { parseRowJson } from './strict-row.js'

const MESSAGES = /^\s*(?:\[\s*)*\{\s*"(?:role|from|content|value)"\s*:/
const PYTHON = /^\s*(?:\[\s*)+\{\s*'(?:role|from|content|value)'\s*:[\s\S]*\]\s*$/
const LIST = /^\s*\[[\s\S]*\]\s*$/
/** What every message has: who speaks, and what. */
const KEYS = [
  ['role', 'content'],
  ['from', 'value'],
]
/** Bare text stays what it is, and these are no text of a dialogue. */
const KEPT = new Set(['text', 'id', 'source', 'subset'])
const LISTS = new Set(['completions', 'candidates', 'rewards', 'scores', 'ranks', 'models'])

/**
 * The row with message lists, and lists of answers and numbers, in place of their JSON text. Other JSON is text: answers
 * may be made of it.
 * @param texts columns that are known to be text
 * @throws RowFault (structural) for a message list as Python's str() writes it
 */
export function withParsedText(row: RawRow, texts: readonly string[] = []): RawRow {
  let parsed = row
  for (const [column, value] of Object.entries(row)) {
    if (typeof value !== 'string' || KEPT.has(column) || texts.includes(column)) continue
    const list = listIn(column, value)
    if (list === undefined) continue
    if (parsed === row) parsed = { ...row }
    parsed[column] = list
  }
  return parsed
}

function listIn(column: string, text: string): unknown {
  if (isPythonList(text)) {
    const reason = `${column} is a message list as Python prints it`
    throw structuralFault('wrong_type', `${reason}; write it as a list, or as JSON text (json.dumps)`)
  }
  const looksSaid = MESSAGES.test(text)
  if (!looksSaid && !(LISTS.has(column) && LIST.test(text))) return undefined
  try {
    const value = parseRowJson({ row: 0, byteOffset: 0, bytes: Buffer.from(text) })
    return !looksSaid || isDialogue(value) ? value : undefined
  } catch (error) {
    if (error instanceof RowFault && looksSaid) return undefined
    throw error
  }
}

const isPythonList = (text: string) =>
  PYTHON.test(text) && KEYS.some((pair) => pair.every((key) => new RegExp(`'${key}'\\s*:`).test(text)))

/** A message, a list of them, or a list of such lists. */
const isDialogue = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 && value.every(isDialogue) : isObject(value) && isTurn(value)

/** Calls may stand in place of a content. */
const isTurn = (turn: RawRow) =>
  KEYS.some((pair) => pair.every((key) => key in turn)) ||
  ('role' in turn && ('tool_calls' in turn || 'function_call' in turn))
