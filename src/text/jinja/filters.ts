/** Jinja's filters on texts and numbers, and transformers' tojson. */

import { characters } from '../lengths.js'
import { bind, countOf } from './arguments.js'
import { percentFormat } from './format.js'
import { type Filter, type FilterContext, LIST_FILTERS } from './list-filters.js'
import { json, repr, str } from './print.js'
import { capitalize, TEXT_METHODS } from './text-methods.js'
import {
  type Arguments,
  asSequence,
  fail,
  float,
  integer,
  isFloat,
  isUndefined,
  itemsOf,
  noValue,
  numberOf,
  truth,
  tuple,
  type Value,
} from './values.js'
import { SPACE } from './white-space.js'

const yes = (value: Value | undefined) => value !== undefined && truth(value)

const toText =
  (change: (text: string) => string): Filter =>
  (value) =>
    change(str(value))

const HTML: { [char: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}
const escapeHtml = toText((text) => text.replace(/[&<>"']/g, (char) => HTML[char]))

const fallback: Filter = (value, given) => {
  const [other, falsy] = bind('default', given, ['default_value', 'boolean'])
  return isUndefined(value) || (yes(falsy) && !truth(value)) ? (other ?? '') : value
}

const toInteger: Filter = (value, given) => {
  const [other, base] = bind('int', given, ['default', 'base'])
  const number = numberOf(value)
  if (number !== undefined) return Number.isFinite(number) ? integer(Math.trunc(number)) : (other ?? 0)
  if (isUndefined(value)) return noValue(value)
  const text = typeof value === 'string' ? value.trim().replaceAll('_', '') : ''
  const radix = base === undefined ? 10 : countOf(base, 'base')
  const digits = radix === 10 ? /^[-+]?\d+$/ : /^[-+]?(?:0[xob])?[\da-z]+$/i
  const whole = radix === 10 ? Number(text) : Number.parseInt(text.replace(/^([-+]?)0[xob]/i, '$1'), radix)
  if (digits.test(text) && Number.isFinite(whole)) return integer(whole)
  const real = readFloat(text)
  return real !== undefined && Number.isFinite(real) ? integer(Math.trunc(real)) : (other ?? 0)
}

function readFloat(text: string): number | undefined {
  const bare = text.trim()
  const named = /^([-+]?)(inf(?:inity)?|nan)$/i.exec(bare)
  if (named) return named[2].toLowerCase() === 'nan' ? Number.NaN : named[1] === '-' ? -Infinity : Infinity
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(bare) ? Number(bare) : undefined
}

const toFloat: Filter = (value, given) => {
  const [other] = bind('float', given, ['default'])
  if (isUndefined(value)) return noValue(value)
  const number = numberOf(value) ?? (typeof value === 'string' ? readFloat(value) : undefined)
  return number === undefined ? (other ?? float(0)) : float(number)
}

const round: Filter = (value, given) => {
  const [precision, method] = bind('round', given, ['precision', 'method'])
  const number = numberOf(value) ?? fail('round needs a number')
  const digits = countOf(precision, 'precision', 0)
  if (Number.isInteger(number) && !isFloat(value) && method === undefined)
    return digits < 0 ? integer(halfEven(number * 10 ** digits) / 10 ** digits) : number
  const scale = 10 ** digits
  if (method === 'ceil') return float(Math.ceil(number * scale) / scale)
  if (method === 'floor') return float(Math.floor(number * scale) / scale)
  if (method !== undefined && method !== 'common') fail('method must be common, ceil or floor')
  if (scale !== 1)
    return float(scale > 1 ? Number(number.toFixed(Math.log10(scale))) : halfEven(number * scale) / scale)
  return float(halfEven(number))
}

const halfEven = (number: number) => {
  const low = Math.floor(number)
  if (number - low !== 0.5) return Math.round(number)
  return low % 2 === 0 ? low : low + 1
}

const indent: Filter = (value, given, { budget }) => {
  const [width, first, blank] = bind('indent', given, ['width', 'first', 'blank'])
  const size = typeof width === 'string' ? width : undefined
  if (size === undefined) budget.text(countOf(width, 'width', 4))
  const by = size ?? ' '.repeat(Math.max(0, countOf(width, 'width', 4)))
  const text = str(value)
  const lines = `${text}\n`.split('\n').slice(0, -1)
  budget.text(text.length + by.length * lines.length)
  const rest = lines.slice(1).map((line) => (line !== '' || yes(blank) ? by + line : line))
  const all = [lines[0], ...rest].join('\n')
  return yes(first) ? by + all : all
}

const truncate: Filter = (value, given) => {
  const [length, kill, end, leeway] = bind('truncate', given, ['length', 'killwords', 'end', 'leeway'])
  const most = countOf(length, 'length', 255)
  const points = [...str(value)]
  const tail = end === undefined ? '...' : str(end)
  if (points.length <= most + countOf(leeway, 'leeway', 5)) return points.join('')
  const cut = points.slice(0, Math.max(0, most - characters(tail))).join('')
  return (yes(kill) || !cut.includes(' ') ? cut : cut.slice(0, cut.lastIndexOf(' '))) + tail
}

const toJson: Filter = (value, given, { budget }) => {
  const names = ['ensure_ascii', 'indent', 'separators', 'sort_keys']
  const [ascii, wide, separators, sort] = bind('tojson', given, names)
  const size =
    wide === undefined || wide === null
      ? undefined
      : typeof wide === 'string'
        ? wide
        : countOf(wide, 'indent')
  if (typeof size === 'number') budget.text(size)
  const pair = separators === undefined || separators === null ? undefined : itemsOf(separators).map(str)
  return json(value, {
    ensureAscii: yes(ascii),
    indent: typeof size === 'number' ? ' '.repeat(Math.max(0, size)) : size,
    separators: pair && [pair[0], pair[1]],
    sortKeys: yes(sort),
  })
}

const SIZES = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB']
const fileSize: Filter = (value, given) => {
  const [binary] = bind('filesizeformat', given, ['binary'])
  const bytes = numberOf(value) ?? readFloat(str(value)) ?? fail('filesizeformat needs a number')
  const base = yes(binary) ? 1024 : 1000
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`
  const power = Math.min(SIZES.length, Math.floor(Math.log(bytes) / Math.log(base) + 1e-12))
  const unit = yes(binary) ? SIZES[power - 1].replace('k', 'K').replace('B', 'iB') : SIZES[power - 1]
  return `${(bytes / base ** power).toFixed(1)} ${unit}`
}

const quoteUrl = (text: string, safe: string) =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%2F/g, safe)

const urlencode: Filter = (value) => {
  if (typeof value === 'string') return quoteUrl(value, '/')
  const pairs =
    value instanceof Map
      ? [...value]
      : asSequence(value) || Array.isArray(value)
        ? itemsOf(value).map((pair) => itemsOf(pair))
        : undefined
  if (!pairs) return quoteUrl(str(value), '/')
  const quote = (part: Value) => quoteUrl(str(part), '%2F').replaceAll('%20', '+')
  return pairs.map(([key, item]) => `${quote(key)}=${quote(item)}`).join('&')
}

/** Lines of at most `width` characters, broken at white space. */
const wordwrap: Filter = (value, given, { budget }) => {
  const [width, long, string] = bind('wordwrap', given, ['width', 'break_long_words', 'wrapstring'])
  const most = countOf(width, 'width', 79)
  if (most < 1) fail('width must be positive')
  const lines = str(value)
    .split('\n')
    .map((line) => wrapLine(line, most, long === undefined || truth(long)))
  budget.items(lines.length)
  return lines
    .map((parts) => parts.join(string === undefined ? '\n' : str(string)))
    .join(string === undefined ? '\n' : str(string))
}

/** As Python's textwrap: a word that is longer than a line fills up the line before it. */
function wrapLine(line: string, width: number, breakLong: boolean): string[] {
  const lines: string[] = []
  const words = line.match(/\s+|\S+/g) ?? []
  let current = ''
  const flush = () => {
    if (current.trimEnd() !== '') lines.push(current.trimEnd())
    current = ''
  }
  for (let i = 0; i < words.length; i++) {
    let word = words[i]
    if (current === '' && lines.length > 0 && /^\s/.test(word)) continue
    if (current.length + word.length <= width) current += word
    else if (word.length <= width || !breakLong) {
      flush()
      if (!/^\s/.test(word)) current = word
    } else {
      while (current.length + word.length > width) {
        const room = width - current.length
        // A line that is full already keeps the blank at its end, as Python's does.
        if (room === 0) lines.push(current)
        if (room === 0) current = ''
        else {
          current += word.slice(0, room)
          word = word.slice(room)
          flush()
        }
      }
      current = word
    }
  }
  flush()
  return lines.length === 0 ? [''] : lines
}

const title = toText((text) =>
  text.replace(/[^-\s({[<]+/g, (word) => {
    const [first] = word
    return first.toUpperCase() + word.slice(first.length).toLowerCase()
  }),
)

const trim: Filter = (value, given, { budget }) => {
  const [chars] = bind('trim', given, ['chars'])
  return TEXT_METHODS.strip(
    str(value),
    { args: chars === undefined ? [] : [chars], named: new Map() },
    budget,
  )
}

const viaMethod =
  (name: string): Filter =>
  (value, given, { budget }) =>
    TEXT_METHODS[name](str(value), given, budget)

function format(value: Value, { args, named }: Arguments, { budget }: FilterContext): Value {
  if (args.length > 0 && named.size > 0)
    fail("can't handle positional and keyword arguments at the same time")
  return percentFormat(str(value), named.size > 0 ? new Map<Value, Value>(named) : tuple(args), budget)
}

function absolute(value: Value): Value {
  const number = numberOf(value) ?? fail('abs needs a number')
  return isFloat(value) ? float(Math.abs(number)) : Math.abs(number)
}

const BLANKS = new RegExp(`[${SPACE}]+`, 'g')
const TEXT_FILTERS: { [name: string]: Filter } = {
  abs: absolute,
  capitalize: toText(capitalize),
  center: (value, given, { budget }) => {
    const [width] = bind('center', given, ['width'])
    return TEXT_METHODS.center(str(value), { args: [width ?? 80], named: new Map() }, budget)
  },
  d: fallback,
  default: fallback,
  e: escapeHtml,
  escape: escapeHtml,
  forceescape: escapeHtml,
  safe: (value) => str(value),
  string: (value) => str(value),
  filesizeformat: fileSize,
  float: toFloat,
  int: toInteger,
  round,
  format,
  indent,
  lower: toText((text) => text.toLowerCase()),
  upper: toText((text) => text.toUpperCase()),
  pprint: (value) => repr(value),
  replace: viaMethod('replace'),
  striptags: toText((text) =>
    text
      .replace(/<!--[\s\S]*?-->|<[^>]*>/g, '')
      .replace(BLANKS, ' ')
      .trim(),
  ),
  title,
  tojson: toJson,
  trim,
  truncate,
  urlencode,
  wordcount: (value) => str(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0,
  wordwrap,
}

export const FILTERS: { [name: string]: Filter } = { ...LIST_FILTERS, ...TEXT_FILTERS }
