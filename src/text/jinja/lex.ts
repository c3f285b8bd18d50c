/** Jinja source to tokens, with the white space rules of transformers: trim_blocks and lstrip_blocks are on. */
import { pythonStrip, SPACE } from './white-space.js'

export interface Token {
  type:
    | 'data'
    | 'name'
    | 'string'
    | 'integer'
    | 'float'
    | 'operator'
    | 'open block'
    | 'close block'
    | 'open print'
    | 'close print'
    | 'end'
  value: string
  line: number
}

const OPENING = /\{%([-+]?)|\{\{([-+]?)|\{#([-+]?)/g
const RAW = /\s*raw\s*(?:-%\}\s*|%\}\n?|\+%\})/y
const END_RAW = /\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)/g
const END_COMMENT = new RegExp(`\\+#\\}|-#\\}[${SPACE}]*|#\\}\\n?`, 'g')
const CLOSE_BLOCK = new RegExp(`\\+%\\}|-%\\}[${SPACE}]*|%\\}\\n?`, 'y')
const CLOSE_PRINT = new RegExp(`-\\}\\}[${SPACE}]*|\\}\\}`, 'y')
const BLANK = new RegExp(`[${SPACE}]+`, 'y')
const NAME = /[\p{ID_Start}_][\p{ID_Continue}]*/uy
const NUMBER = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}<>=.:|,;]/y
const BRACKETS: { [open: string]: string } = { '(': ')', '[': ']', '{': '}' }

interface Place {
  source: string
  at: number
  line: number
  tokens: Token[]
}

/**
 * Line ends are normalised as Jinja does, and the last one is dropped.
 * @throws Error with the line for what is no token, or is not closed
 */
export function tokenize(text: string): Token[] {
  const source = text.replace(/\r\n?/g, '\n').replace(/\n$/, '')
  const place: Place = { source, at: 0, line: 1, tokens: [] }
  while (place.at < source.length) readPart(place)
  push(place, 'end', '')
  return place.tokens
}

export const failAt = (line: number, message: string): never => {
  throw new Error(`line ${line}: ${message}`)
}

function push({ tokens, line }: Place, type: Token['type'], value: string): void {
  tokens.push({ type, value, line })
}

/** Moves on behind a piece of the source, whose line ends are counted. */
function advance(place: Place, to: number): void {
  for (let i = place.source.indexOf('\n', place.at); i >= 0 && i < to; i = place.source.indexOf('\n', i + 1))
    place.line++
  place.at = to
}

function match(pattern: RegExp, { source, at }: Place): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(source)
}

/** Text up to the next tag, and the tag. */
function readPart(place: Place): void {
  const opening = match(OPENING, place)
  const end = opening ? opening.index : place.source.length
  const print = opening?.[2] !== undefined
  data(place, end, opening?.[1] ?? opening?.[2] ?? opening?.[3], print)
  if (!opening) return
  advance(place, end + opening[0].length)
  if (opening[3] !== undefined) skipComment(place)
  else if (print) readTag(place, 'print')
  else if (!readRaw(place)) readTag(place, 'block')
}

/** What stands between raw and endraw, as it is. */
function readRaw(place: Place): boolean {
  const raw = match(RAW, place)
  if (!raw) return false
  advance(place, place.at + raw[0].length)
  const close = match(END_RAW, place) ?? failAt(place.line, 'raw is not closed: endraw is missing')
  data(place, close.index, close[1], false)
  advance(place, close.index + close[0].length)
  return true
}

function data(place: Place, end: number, sign: string | undefined, print: boolean): void {
  let text = place.source.slice(place.at, end)
  if (sign === '-') text = pythonStrip(text, 'rstrip')
  else if (sign !== undefined && sign !== '+' && !print) {
    const line = text.lastIndexOf('\n') + 1
    const begins = line > 0 || place.at === 0 || place.source[place.at - 1] === '\n'
    if (begins && pythonStrip(text.slice(line), 'strip') === '') text = text.slice(0, line)
  }
  if (text !== '') push(place, 'data', text)
  advance(place, end)
}

function skipComment(place: Place): void {
  const end = match(END_COMMENT, place) ?? failAt(place.line, 'a comment is not closed')
  advance(place, end.index + end[0].length)
}

function readTag(place: Place, kind: 'block' | 'print'): void {
  push(place, `open ${kind}`, '')
  const close = kind === 'block' ? CLOSE_BLOCK : CLOSE_PRINT
  const brackets: string[] = []
  while (place.at < place.source.length) {
    const blank = match(BLANK, place)
    if (blank) advance(place, place.at + blank[0].length)
    const end = brackets.length === 0 ? match(close, place) : null
    if (end) {
      push(place, `close ${kind}`, '')
      advance(place, place.at + end[0].length)
      return
    }
    readToken(place, brackets)
  }
  failAt(place.line, `a ${kind === 'block' ? '{%' : '{{'} is not closed`)
}

function readToken(place: Place, brackets: string[]): void {
  const { source, at } = place
  const quote = source[at]
  if (quote === '"' || quote === "'") {
    readString(place, quote)
    return
  }
  for (const [type, pattern] of [
    ['float', NUMBER],
    ['integer', INTEGER],
    ['name', NAME],
    ['operator', OPERATOR],
  ] as const) {
    const found = match(pattern, place)
    if (!found) continue
    const [value] = found
    if (type === 'operator') balance(place, value, brackets)
    push(place, type, value)
    advance(place, at + value.length)
    return
  }
  if (at < source.length) failAt(place.line, `unexpected character ${JSON.stringify(source[at])}`)
}

function balance({ line }: Place, operator: string, brackets: string[]): void {
  if (BRACKETS[operator]) brackets.push(BRACKETS[operator])
  else if (operator === ')' || operator === ']' || operator === '}') {
    const expected = brackets.pop()
    if (expected !== operator)
      failAt(line, `unexpected '${operator}'${expected ? `, expected '${expected}'` : ''}`)
  }
}

function readString(place: Place, quote: string): void {
  const { source, at } = place
  let end = at + 1
  while (end < source.length && source[end] !== quote) end += source[end] === '\\' ? 2 : 1
  if (end >= source.length) failAt(place.line, 'a string is not closed')
  push(place, 'string', unescaped(source.slice(at + 1, end), place.line))
  advance(place, end + 1)
}

const ESCAPE = /\\(?:\n|[abfnrtv\\'"]|[0-7]{1,3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|([xuUN]))/g
const SIMPLE: { [char: string]: string } = {
  '\n': '',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

/** Python's escapes; an unknown one stays as it is. */
function unescaped(text: string, line: number): string {
  return text.replace(ESCAPE, (whole, bad: string | undefined) => {
    if (bad !== undefined) return failAt(line, `the escape \\${bad} in a string is cut short`)
    const rest = whole.slice(1)
    if (rest in SIMPLE) return SIMPLE[rest]
    const code = /^[0-7]/.test(rest) ? Number.parseInt(rest, 8) : Number.parseInt(rest.slice(1), 16)
    return code > 0x10ffff ? failAt(line, `\\${rest} is no character`) : String.fromCodePoint(code)
  })
}
