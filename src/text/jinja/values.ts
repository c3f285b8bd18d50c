/** The values of a template, as Python has them: how they are printed, compared, counted and walked. */

import { characters } from '../lengths.js'

/** A name that means nothing: empty text, false, an error as soon as something is asked of it. */
export interface Undefined {
  kind: 'undefined'
  what: string
}
/** A float that is a whole number; other floats are plain numbers, and so are integers. */
export interface WholeFloat {
  kind: 'float'
  value: number
}
/** What can be walked and is no list. A generator is walked once and has no length. */
export interface Sequence {
  kind: 'tuple' | 'range' | 'generator' | 'dict_keys' | 'dict_values' | 'dict_items'
  items: Value[]
  /** How a range is printed. */
  text?: string
}
export interface Arguments {
  args: Value[]
  named: Map<string, Value>
}
export interface Callable {
  kind: 'function'
  name: string
  call(given: Arguments): Value
  /** Attributes of macros. */
  attributes?: Dict
}
/** `namespace()`, `loop`, `cycler()`: an object with attributes; only a namespace's are set. */
export interface Record {
  kind: 'record'
  name: string
  attributes: Dict
  settable?: boolean
  call?(given: Arguments): Value
}
export type Dict = Map<Value, Value>
export type Tagged = Undefined | WholeFloat | Sequence | Callable | Record
export type Value = null | boolean | number | string | Value[] | Dict | Tagged

/** An error of the template or of what it was given, in Python's words. */
export const fail = (message: string): never => {
  throw new Error(message)
}

export const undefinedValue = (what: string): Undefined => ({ kind: 'undefined', what })
export const tuple = (items: Value[]): Sequence => ({ kind: 'tuple', items })
export const generator = (items: Value[]): Sequence => ({ kind: 'generator', items })
export const float = (value: number): number | WholeFloat =>
  Number.isInteger(value) ? { kind: 'float', value } : value

/** @throws Error for an integer that a JavaScript number can't hold */
export function integer(value: number): number {
  if (!Number.isSafeInteger(value)) fail('an integer is beyond 2^53')
  return value === 0 ? 0 : value
}

export const tagged = (value: Value): Tagged | undefined =>
  value !== null && typeof value === 'object' && 'kind' in value ? value : undefined
export const isUndefined = (value: Value): value is Undefined => tagged(value)?.kind === 'undefined'
export const isFloat = (value: Value): boolean =>
  tagged(value)?.kind === 'float' || (typeof value === 'number' && !Number.isInteger(value))
export const isInteger = (value: Value): value is number =>
  typeof value === 'number' && Number.isInteger(value)

const SEQUENCES: ReadonlySet<string> = new Set([
  'tuple',
  'range',
  'generator',
  'dict_keys',
  'dict_values',
  'dict_items',
])
/** A tuple, range, generator or view of a mapping; not a list. */
export const asSequence = (value: Value): Sequence | undefined => {
  const found = tagged(value)
  return found && SEQUENCES.has(found.kind) ? (found as Sequence) : undefined
}

/** The number of a number or truth value; undefined for anything else. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  const found = tagged(value)
  return found?.kind === 'float' ? found.value : undefined
}

const TYPE_NAMES = { undefined: 'Undefined', function: 'function', record: 'object', float: 'float' } as const

export function typeOf(value: Value): string {
  if (value === null) return 'NoneType'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Map) return 'dict'
  return value.kind in TYPE_NAMES ? TYPE_NAMES[value.kind as keyof typeof TYPE_NAMES] : value.kind
}

export const noValue = ({ what }: Undefined): never => fail(`${what} is undefined`)

export function truth(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Map) return value.size > 0
  const found = tagged(value)
  if (!found) return Boolean(value)
  if (found.kind === 'undefined') return false
  if (found.kind === 'float') return found.value !== 0
  return (
    found.kind === 'function' ||
    found.kind === 'record' ||
    found.kind === 'generator' ||
    found.items.length > 0
  )
}

/** @throws Error for what has no length */
export function lengthOf(value: Value): number {
  if (typeof value === 'string') return characters(value)
  if (Array.isArray(value)) return value.length
  if (value instanceof Map) return value.size
  if (isUndefined(value)) return 0
  const sequence = asSequence(value)
  if (sequence && sequence.kind !== 'generator') return sequence.items.length
  return fail(`object of type '${typeOf(value)}' has no len()`)
}

/** The items of what can be walked: characters, items, keys. A generator is empty afterwards. @throws Error */
export function itemsOf(value: Value): Value[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return [...value]
  if (value instanceof Map) return [...value.keys()]
  if (isUndefined(value)) return []
  const sequence = asSequence(value)
  if (!sequence) return fail(`'${typeOf(value)}' object is not iterable`)
  const { items } = sequence
  if (sequence.kind === 'generator') sequence.items = []
  return items
}

export const isIterable = (value: Value): boolean =>
  Array.isArray(value) ||
  typeof value === 'string' ||
  value instanceof Map ||
  isUndefined(value) ||
  asSequence(value) !== undefined

/** Python's `==`: `''` is not False, True is 1, lists, tuples and mappings are compared by what they hold. */
export function equals(a: Value, b: Value): boolean {
  charge()
  if (a === b) return true
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== undefined || y !== undefined) return x === y
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameItems(a, b)
  if (a instanceof Map || b instanceof Map) return a instanceof Map && b instanceof Map && sameEntries(a, b)
  if (isUndefined(a) || isUndefined(b)) return isUndefined(a) && isUndefined(b)
  const [left, right] = [asSequence(a), asSequence(b)]
  return (
    left?.kind === right?.kind &&
    left?.kind !== 'generator' &&
    !!left &&
    !!right &&
    sameItems(left.items, right.items)
  )
}

const sameItems = (a: readonly Value[], b: readonly Value[]) =>
  a.length === b.length && a.every((item, i) => equals(item, b[i]))
const sameEntries = (a: Dict, b: Dict) =>
  a.size === b.size && [...a].every(([key, item]) => b.has(key) && equals(item, b.get(key) as Value))

/** Negative, 0 or positive, as `<` orders. @throws Error where Python has no order */
export function compare(a: Value, b: Value, operator = '<'): number {
  charge()
  if (isUndefined(a)) return noValue(a)
  if (isUndefined(b)) return noValue(b)
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== undefined && y !== undefined) return x - y
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b)
  const lists = Array.isArray(a) && Array.isArray(b)
  const [left, right] = lists ? [a, b] : [asSequence(a)?.items, asSequence(b)?.items]
  if (!left || !right || (!lists && (typeOf(a) !== 'tuple' || typeOf(b) !== 'tuple')))
    return fail(`'${operator}' not supported between instances of '${typeOf(a)}' and '${typeOf(b)}'`)
  const differs = left.findIndex((item, i) => i >= right.length || !equals(item, right[i]))
  if (differs < 0) return left.length - right.length
  return differs >= right.length ? 1 : compare(left[differs], right[differs], operator)
}

/** By code points, where JavaScript goes by UTF-16 units. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  let at = 0
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++
  if (at === length) return a.length - b.length
  const order = (unit: number) =>
    unit >= 0xd800 && unit < 0xe000 ? unit + 0x2000 : unit >= 0xe000 ? unit - 0x800 : unit
  return order(a.charCodeAt(at)) - order(b.charCodeAt(at))
}

/** A key of a mapping: numbers that are equal are one key. @throws Error for what can't be one */
export function keyOf(value: Value): Value {
  const number = numberOf(value)
  if (number !== undefined) return number
  if (value === null || typeof value === 'string') return value
  return fail(`unhashable type: '${typeOf(value)}'`)
}

/** What JSON holds, as values of a template. */
export function fromJson(value: unknown): Value {
  if (Array.isArray(value)) return value.map(fromJson)
  if (value !== null && typeof value === 'object') {
    const dict: Dict = new Map()
    for (const [key, item] of Object.entries(value)) if (item !== undefined) dict.set(key, fromJson(item))
    return dict
  }
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return float(value)
  return value === undefined ? null : (value as Value)
}

/** Counts what values cost where they are printed and compared: a list may hold itself many times over. */

/** What values cost where they are printed and compared: a list may hold itself many times over. */
let spend: ((count: number) => void) | undefined
/** One value is looked at, in the budget of the template that runs. */
export function charge(count = 1): void {
  spend?.(count)
}
/** Runs something with its costs given to `to`. */
export function metered<T>(to: (count: number) => void, run: () => T): T {
  const outer = spend
  spend = to
  try {
    return run()
  } finally {
    spend = outer
  }
}
