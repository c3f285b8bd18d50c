/** Values as text: Python's str(), repr() and json.dumps(). */
import {
  asSequence,
  charge,
  type Dict,
  fail,
  isFloat,
  numberOf,
  tagged,
  tuple,
  typeOf,
  type Value,
} from './values.js'

/** Python's str(). */
export function str(value: Value): string {
  if (typeof value === 'string') return value
  return tagged(value)?.kind === 'undefined' ? '' : repr(value)
}

/** Python's repr(). */
export function repr(value: Value): string {
  charge()
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return quoted(value)
  const number = numberOf(value)
  if (number !== undefined) return isFloat(value) ? floatText(number) : String(number)
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`
  if (value instanceof Map)
    return `{${[...value].map(([key, item]) => `${repr(key)}: ${repr(item)}`).join(', ')}}`
  const sequence = asSequence(value)
  if (!sequence)
    return tagged(value)?.kind === 'undefined' ? 'Undefined' : `<${(value as { name: string }).name}>`
  const items = sequence.items.map(repr).join(', ')
  if (sequence.kind === 'tuple') return sequence.items.length === 1 ? `(${items},)` : `(${items})`
  if (sequence.kind === 'range') return sequence.text as string
  return sequence.kind === 'generator' ? '<generator object>' : `${sequence.kind}([${items}])`
}

/** The shortest digits that read back, with an exponent where Python writes one. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  if (Object.is(value, -0)) return '-0.0'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e16))
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  const text = String(value)
  return text.includes('.') ? text : `${text}.0`
}

const ESCAPES: { [char: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }
const SPECIAL = /[\\\p{C}\p{Z}]/gu

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(SPECIAL, (char) => (char === ' ' ? char : (ESCAPES[char] ?? escapeOf(char))))
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote
}

function escapeOf(char: string): string {
  const code = char.codePointAt(0) as number
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

export interface JsonOptions {
  indent?: string
  ensureAscii?: boolean
  separators?: [string, string]
  sortKeys?: boolean
}

/** Python's json.dumps as transformers calls it. @throws Error for what JSON can't hold */
export function json(value: Value, options: JsonOptions = {}): string {
  const [between, colon] = options.separators ?? [options.indent === undefined ? ', ' : ',', ': ']
  const text = (string: string) => {
    const plain = JSON.stringify(string)
    if (!options.ensureAscii) return plain
    return plain.replace(/[\x7f-\uffff]/g, (unit) =>
      unit === '\x7f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  }
  const block = (open: string, parts: string[], close: string, depth: number) => {
    if (parts.length === 0) return open + close
    if (options.indent === undefined) return open + parts.join(between) + close
    const line = `\n${options.indent.repeat(depth + 1)}`
    return `${open}${line}${parts.join(between + line)}\n${options.indent.repeat(depth)}${close}`
  }
  const write = (item: Value, depth: number): string => {
    charge(1 + (options.indent === undefined ? 0 : (options.indent.length * depth) >> 6))
    if (typeof item === 'string') return text(item)
    const sequence = asSequence(item)
    const list = Array.isArray(item) ? item : sequence?.kind === 'tuple' ? sequence.items : undefined
    if (list)
      return block(
        '[',
        list.map((part) => write(part, depth + 1)),
        ']',
        depth,
      )
    if (!(item instanceof Map)) return scalar(item)
    const entries = [...(options.sortKeys ? sorted(item) : item)]
    const parts = entries.map(([key, part]) => text(keyText(key)) + colon + write(part, depth + 1))
    return block('{', parts, '}', depth)
  }
  return write(value, 0)
}

const keyText = (key: Value): string => (typeof key === 'string' ? key : scalar(key))

function sorted(dict: Dict): [Value, Value][] {
  return [...dict].sort(([a], [b]) => (str(a) < str(b) ? -1 : 1))
}

function scalar(value: Value): string {
  if (value === null || typeof value === 'boolean') return String(value)
  const number = numberOf(value)
  if (number === undefined) return fail(`Object of type ${typeOf(value)} is not JSON serializable`)
  if (Number.isFinite(number)) return repr(value)
  return Number.isNaN(number) ? 'NaN' : number < 0 ? '-Infinity' : 'Infinity'
}

/** [key, value] tuples of a mapping. */
export const entriesOf = (dict: Dict): Value[] => [...dict].map(([key, value]) => tuple([key, value]))
