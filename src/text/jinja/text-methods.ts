/** The methods of Python's texts. */

import { characters } from '../lengths.js'
import { bind, countOf, textOf } from './arguments.js'
import type { Budget } from './budget.js'
import { type Arguments, asSequence, fail, itemsOf, tuple, type Value } from './values.js'
import { pythonStrip, SPACE } from './white-space.js'

type Method = (text: string, given: Arguments, budget: Budget) => Value

const BLANKS = new RegExp(`[${SPACE}]+`, 'g')

const strip =
  (side: 'strip' | 'lstrip' | 'rstrip'): Method =>
  (text, given) => {
    const [chars] = bind(side, given, ['chars'])
    return pythonStrip(text, side, chars === undefined || chars === null ? undefined : textOf(chars, side))
  }

function split(text: string, given: Arguments, right: boolean): string[] {
  const [separator, most] = bind('split', given, ['sep', 'maxsplit'])
  const limit = countOf(most ?? undefined, 'maxsplit', -1)
  const blank = separator === undefined || separator === null
  const by = blank ? '' : textOf(separator, 'sep')
  if (!blank && by === '') fail('empty separator')
  if (limit < 0 && !blank) return text.split(by)
  if (blank) return splitBlank(text, limit, right)
  const parts = text.split(by)
  if (parts.length <= limit + 1) return parts
  if (right) return [parts.slice(0, parts.length - limit).join(by), ...parts.slice(parts.length - limit)]
  return [...parts.slice(0, limit), parts.slice(limit).join(by)]
}

function splitBlank(text: string, limit: number, right: boolean): string[] {
  const bare = pythonStrip(text, 'strip')
  if (bare === '') return []
  const gaps = [...bare.matchAll(BLANKS)]
  const used =
    limit < 0 || gaps.length <= limit ? gaps : right ? gaps.slice(gaps.length - limit) : gaps.slice(0, limit)
  const parts: string[] = []
  let from = 0
  for (const { index, 0: gap } of used) {
    parts.push(bare.slice(from, index))
    from = index + gap.length
  }
  // What is not split keeps the white space at the other end.
  if (used.length < gaps.length || limit === 0) {
    if (!right) return [...parts, pythonStrip(text, 'lstrip').slice(from)]
    const before = text.slice(0, text.length - pythonStrip(text, 'lstrip').length)
    return [...parts, bare.slice(from)].map((part, i) => (i === 0 ? before + part : part))
  }
  return [...parts, bare.slice(from)]
}

/** Where a part lies, in code points from the start of the text; -1 where it is not. */
function find(text: string, given: Arguments, last: boolean): number {
  const [part, from, to] = bind('find', given, ['sub', 'start', 'end'])
  const points = [...text]
  const bound = (value: Value | undefined, fallback: number) => {
    const at = value === undefined || value === null ? fallback : countOf(value, 'an index')
    return at < 0 ? Math.max(0, at + points.length) : at
  }
  const start = bound(from, 0)
  const inside = points.slice(start, bound(to, points.length)).join('')
  if (start > points.length) return -1
  const wanted = textOf(part, 'sub')
  const at = last ? inside.lastIndexOf(wanted) : inside.indexOf(wanted)
  return at < 0 ? -1 : start + characters(inside.slice(0, at))
}

const found = (at: number): number => (at < 0 ? fail('substring not found') : at)

function affix(given: Arguments, what: string): string[] {
  const [value] = given.args
  const sequence = value === undefined ? undefined : asSequence(value)
  return sequence?.kind === 'tuple' ? sequence.items.map((item) => textOf(item, what)) : [textOf(value, what)]
}

function replace(text: string, given: Arguments, budget: Budget): string {
  const [from, to, most] = bind('replace', given, ['old', 'new', 'count'])
  const [old, fresh] = [textOf(from, 'replace() argument 1'), textOf(to, 'replace() argument 2')]
  const limit = most === undefined ? -1 : countOf(most, 'count')
  const parts = old === '' ? ['', ...text, ''] : text.split(old)
  budget.items(Math.min(parts.length, 1 << 20))
  const count = limit < 0 ? parts.length - 1 : Math.min(limit, parts.length - 1)
  budget.text(text.length + Math.max(0, fresh.length - old.length) * count)
  return (
    parts.slice(0, count + 1).join(fresh) +
    parts
      .slice(count + 1)
      .map((part) => old + part)
      .join('')
  )
}

const pad =
  (side: 'center' | 'ljust' | 'rjust'): Method =>
  (text, given, budget) => {
    const [width, fill] = bind(side, given, ['width', 'fillchar'])
    const missing = countOf(width, 'width') - characters(text)
    if (missing <= 0) return text
    budget.text(text.length + missing)
    const sign = fill === undefined ? ' ' : textOf(fill, 'fillchar')
    const whole = countOf(width, 'width')
    // As Python: of an odd rest the larger half stands left where the width is odd.
    const half = (missing >> 1) + (missing & whole & 1)
    const left = side === 'center' ? half : side === 'rjust' ? missing : 0
    return sign.repeat(left) + text + sign.repeat(missing - left)
  }

const partition =
  (last: boolean): Method =>
  (text, { args }) => {
    const by = textOf(args[0], 'sep')
    if (by === '') fail('empty separator')
    const at = last ? text.lastIndexOf(by) : text.indexOf(by)
    if (at < 0) return tuple(last ? ['', '', text] : [text, '', ''])
    return tuple([text.slice(0, at), by, text.slice(at + by.length)])
  }

const matches =
  (pattern: RegExp): Method =>
  (text) =>
    pattern.test(text)

/** Every letter behind something else than a letter is large, the others are small. */
export const titleCase = (text: string): string =>
  text.replace(/\p{L}+/gu, (word) => {
    const [first] = word
    return first.toUpperCase() + word.slice(first.length).toLowerCase()
  })

export function capitalize(text: string): string {
  const [first = ''] = text
  return first.toUpperCase() + text.slice(first.length).toLowerCase()
}

const cased = (text: string) => /[\p{Lu}\p{Ll}\p{Lt}]/u.test(text)
export const isUpper = (text: string): boolean => cased(text) && !/[\p{Ll}\p{Lt}]/u.test(text)
export const isLower = (text: string): boolean => cased(text) && !/[\p{Lu}\p{Lt}]/u.test(text)

const LINE_ENDS = '\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029'
const LINE = new RegExp(`[^${LINE_ENDS}]*(?:\\r\\n|[${LINE_ENDS}])|[^${LINE_ENDS}]+`, 'g')
const LINE_END = new RegExp(`(?:\\r\\n|[${LINE_ENDS}])$`)

function splitLines(text: string, given: Arguments): string[] {
  const [keep] = bind('splitlines', given, ['keepends'])
  const lines = text.match(LINE) ?? []
  return keep ? [...lines] : lines.map((line) => line.replace(LINE_END, ''))
}

function zfill(text: string, { args }: Arguments, budget: Budget): string {
  const missing = countOf(args[0], 'width') - characters(text)
  if (missing <= 0) return text
  budget.text(text.length + missing)
  const sign = /^[-+]/.exec(text)?.[0] ?? ''
  return sign + '0'.repeat(missing) + text.slice(sign.length)
}

function join(text: string, { args }: Arguments, budget: Budget): string {
  const items = itemsOf(args[0] ?? null).map((item, i) => textOf(item, `sequence item ${i}`))
  budget.text(items.reduce((sum, item) => sum + item.length + text.length, 0))
  return items.join(text)
}

function expandTabs(text: string, given: Arguments, budget: Budget): string {
  const size = countOf(bind('expandtabs', given, ['tabsize'])[0], 'tabsize', 8)
  budget.text(text.length + Math.max(0, size) * (text.split('\t').length - 1))
  let column = 0
  return [...text]
    .map((char) => {
      const wide = char === '\t' ? (size > 0 ? size - (column % size) : 0) : 1
      column = char === '\n' || char === '\r' ? 0 : column + wide
      return char === '\t' ? ' '.repeat(wide) : char
    })
    .join('')
}

export const TEXT_METHODS: { [name: string]: Method } = {
  strip: strip('strip'),
  lstrip: strip('lstrip'),
  rstrip: strip('rstrip'),
  split: (text, given) => split(text, given, false),
  rsplit: (text, given) => split(text, given, true),
  splitlines: splitLines,
  upper: (text) => text.toUpperCase(),
  lower: (text) => text.toLowerCase(),
  casefold: (text) => text.toLowerCase().replaceAll('ß', 'ss'),
  capitalize: (text) => capitalize(text),
  title: (text) => titleCase(text),
  swapcase: (text) =>
    text.replace(/\p{L}/gu, (char) =>
      char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase(),
    ),
  startswith: (text, given) => affix(given, 'prefix').some((start) => text.startsWith(start)),
  endswith: (text, given) => affix(given, 'suffix').some((end) => text.endsWith(end)),
  replace,
  find: (text, given) => find(text, given, false),
  rfind: (text, given) => find(text, given, true),
  index: (text, given) => found(find(text, given, false)),
  rindex: (text, given) => found(find(text, given, true)),
  count: (text, { args }) =>
    args[0] === '' ? characters(text) + 1 : text.split(textOf(args[0], 'sub')).length - 1,
  join,
  center: pad('center'),
  ljust: pad('ljust'),
  rjust: pad('rjust'),
  zfill,
  partition: partition(false),
  rpartition: partition(true),
  removeprefix: (text, { args }) => {
    const start = textOf(args[0], 'prefix')
    return text.startsWith(start) ? text.slice(start.length) : text
  },
  removesuffix: (text, { args }) => {
    const end = textOf(args[0], 'suffix')
    return end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text
  },
  expandtabs: expandTabs,
  isdigit: matches(/^[\p{Nd}²³¹⁰-⁹₀-₉]+$/u),
  isdecimal: matches(/^\p{Nd}+$/u),
  isnumeric: matches(/^\p{N}+$/u),
  isalpha: matches(/^\p{L}+$/u),
  isalnum: matches(/^[\p{L}\p{N}]+$/u),
  isspace: matches(new RegExp(`^[${SPACE}]+$`)),
  isascii: (text) => !/[^\0-\x7f]/.test(text),
  isidentifier: matches(/^[\p{ID_Start}_]\p{ID_Continue}*$/u),
  isupper: (text) => isUpper(text),
  islower: (text) => isLower(text),
  istitle: (text) => cased(text) && titleCase(text) === text,
}
