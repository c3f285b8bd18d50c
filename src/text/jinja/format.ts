/** Python's text formatting: `'%s' % value`, `'{}'.format(value)`, and the format specifications of both. */
import type { Budget } from './budget.js'
import { repr, str } from './print.js'
import { type Arguments, asSequence, fail, float, isFloat, numberOf, typeOf, type Value } from './values.js'

interface Spec {
  fill: string
  align: string
  sign: string
  alternate: boolean
  width: number
  grouping: string
  precision?: number
  type: string
}

const PERCENT = /%(?:\(([^)]*)\))?([-#0 +]*)(\*|\d*)(?:\.(\*|\d*))?[hlL]?([\s\S]?)/g

/** `text % value`. @throws Error as Python does */
export function percentFormat(text: string, value: Value, budget: Budget): string {
  const sequence = asSequence(value)
  const given = sequence?.kind === 'tuple' ? sequence.items : [value]
  let used = 0
  const take = (): Value => {
    if (used >= given.length) fail('not enough arguments for format string')
    return given[used++]
  }
  const result = text.replace(PERCENT, (...found: (string | undefined)[]) => {
    const [, key, flags = '', wide, exact, type = ''] = found
    if (type === '%') return '%'
    const width = wide === '*' ? (numberOf(take()) ?? 0) : Number(wide || 0)
    const precision =
      exact === '*' ? (numberOf(take()) ?? 0) : exact === undefined ? undefined : Number(exact || 0)
    const left = flags.includes('-')
    // Texts are filled with blanks whatever the flags say.
    const zero = flags.includes('0') && !left && !'srac'.includes(type)
    const argument = key === undefined ? take() : entryOf(value, key)
    const spec: Spec = {
      fill: zero ? '0' : ' ',
      align: left ? '<' : zero ? '=' : '>',
      sign: flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '-',
      alternate: flags.includes('#'),
      width,
      grouping: '',
      precision,
      type,
    }
    return padded(percentBody(argument, spec), spec, budget)
  })
  if (value instanceof Map ? false : used < given.length && !(given.length === 1 && text.includes('%('))) {
    fail('not all arguments converted during string formatting')
  }
  return budget.made(result)
}

function entryOf(value: Value, key: string): Value {
  if (!(value instanceof Map)) return fail('format requires a mapping')
  return value.get(key) ?? fail(`KeyError: '${key}'`)
}

function percentBody(value: Value, spec: Spec): string {
  const { type, precision } = spec
  if (type === 's' || type === 'r' || type === 'a') {
    const text = type === 's' ? str(value) : repr(value)
    return precision === undefined ? text : [...text].slice(0, precision).join('')
  }
  const number = numberOf(value)
  if (type === 'c')
    return typeof value === 'string' ? value : String.fromCodePoint(number ?? fail('%c requires int or char'))
  if (number === undefined) return fail(`%${type} format: a real number is required, not ${typeOf(value)}`)
  if ('diu'.includes(type))
    return numberText(Math.trunc(number), { ...spec, type: 'd', precision: undefined })
  if ('xXo'.includes(type) || 'eEfFgG'.includes(type)) return numberText(number, spec)
  return fail(`unsupported format character '${type}'`)
}

const SPEC = /^(?:([\s\S])?([<>=^]))?([-+ ]?)(#?)(0?)(\d*)([,_]?)(?:\.(\d+))?([bcdeEfFgGnosxX%]?)$/u

/** A value as a format specification (`>10`, `.2f`, `,`) writes it. */
export function formatValue(value: Value, source: string, budget: Budget): string {
  if (source === '') return str(value)
  const found = SPEC.exec(source) ?? fail(`Invalid format specifier '${source}'`)
  const [, fill, align, sign, alternate, zero, width, grouping, precision, type] = found
  const isNumber = numberOf(value) !== undefined && !(typeof value === 'boolean' && type === '')
  const spec: Spec = {
    fill: fill ?? (zero ? '0' : ' '),
    align: align ?? (zero && isNumber ? '=' : isNumber ? '>' : '<'),
    sign: sign || '-',
    alternate: alternate !== '',
    width: Number(width || 0),
    grouping,
    precision: precision === undefined ? undefined : Number(precision),
    type,
  }
  if (isNumber && type !== 's') {
    const number = numberOf(value) as number
    const plain = type === '' && isFloat(value) && spec.precision === undefined
    return padded(
      plain
        ? signed(repr(float(Math.abs(number))), number, spec)
        : numberText(number, { ...spec, type: type || (isFloat(value) ? 'G*' : 'd') }),
      spec,
      budget,
    )
  }
  if (type !== '' && type !== 's') fail(`Unknown format code '${type}' for object of type '${typeOf(value)}'`)
  if (typeof value !== 'string' && typeof value !== 'boolean')
    fail(`unsupported format string passed to ${typeOf(value)}.__format__`)
  const text = str(value)
  return padded(
    spec.precision === undefined ? text : [...text].slice(0, spec.precision).join(''),
    spec,
    budget,
  )
}

const RADIX: { [type: string]: [number, string] } = {
  b: [2, '0b'],
  o: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
}

function numberText(number: number, spec: Spec): string {
  const { type, grouping } = spec
  const size = Math.abs(number)
  if (RADIX[type]) {
    const [radix, prefix] = RADIX[type]
    const digits = Math.trunc(size).toString(radix)
    return signed(
      (spec.alternate ? prefix : '') + (type === 'X' ? digits.toUpperCase() : digits),
      number,
      spec,
    )
  }
  if (type === 'c') return String.fromCodePoint(number)
  const precision = spec.precision ?? 6
  if (precision > 100) fail('the precision of a number is beyond 100')
  let text: string
  if (type === 'd' || type === 'n') text = String(size)
  else if (type === 'f' || type === 'F') text = size.toFixed(precision)
  else if (type === '%') text = `${(size * 100).toFixed(precision)}%`
  else if (type === 'e' || type === 'E') text = exponent(size.toExponential(precision))
  else text = general(size, precision || 1, type === 'G*')
  if (type === 'E' || type === 'G') text = text.toUpperCase()
  if (grouping) text = text.replace(/^\d+/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, grouping))
  return signed(text, number, spec)
}

const exponent = (text: string) => text.replace(/e([+-])(\d)$/, 'e$10$2')

function general(size: number, precision: number, whole: boolean): string {
  const power = size === 0 ? 0 : Number(size.toExponential(precision - 1).split('e')[1])
  if (power < -4 || power >= precision)
    return exponent(size.toExponential(precision - 1).replace(/\.?0+e/, 'e'))
  const text = size.toFixed(precision - 1 - power)
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return whole && !short.includes('.') ? `${short}.0` : short
}

const signed = (text: string, number: number, { sign }: Spec) =>
  number < 0 || Object.is(number, -0) ? `-${text}` : sign === '-' ? text : sign + text

function padded(text: string, { fill, align, width }: Spec, budget: Budget): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  budget.text(width)
  if (align === '<') return text + fill.repeat(missing)
  if (align === '^') return fill.repeat(missing >> 1) + text + fill.repeat(missing - (missing >> 1))
  const sign = align === '=' ? (/^[-+ ]?(?:0[xXob])?/.exec(text)?.[0] ?? '') : ''
  return sign + fill.repeat(missing) + text.slice(sign.length)
}

const FIELD = /\{\{|\}\}|\{([^{}!:]*)(?:!([rsa]))?(?::((?:[^{}]|\{[^{}]*\})*))?\}|[{}]/g

/** How a field's `.name` and `[item]` are read. */
export interface Readers {
  attribute(value: Value, name: string): Value
  item(value: Value, index: Value): Value
}

/** `text.format(…)`. @throws Error as Python does */
export function braceFormat(text: string, { args, named }: Arguments, budget: Budget, read: Readers): string {
  let automatic = 0
  const field = (path: string): Value => {
    const first = /^[^.[]*/.exec(path)?.[0] ?? ''
    const key = first === '' ? String(automatic++) : first
    let value = /^\d+$/.test(key) ? args[Number(key)] : named.get(key)
    if (value === undefined) return fail(`no argument ${key} for the replacement field {${path}}`)
    for (const [, attribute, item] of path.slice(first.length).matchAll(/\.([^.[]+)|\[([^\]]+)\]/g))
      value = attribute
        ? read.attribute(value, attribute)
        : read.item(value, /^\d+$/.test(item) ? Number(item) : item)
    return value
  }
  const fill = (source: string): string =>
    source.replace(FIELD, (whole, path: string | undefined, conversion: string | undefined, spec = '') => {
      if (whole === '{{' || whole === '}}') return whole[0]
      if (path === undefined) return fail(`Single '${whole}' encountered in format string`)
      const value = field(path)
      return formatValue(
        conversion ? (conversion === 's' ? str(value) : repr(value)) : value,
        fill(spec),
        budget,
      )
    })
  return budget.made(fill(text))
}
