/** `value.name`, `value[index]` and slices, in the order in which Jinja looks. */
import { bind } from './arguments.js'
import type { Budget } from './budget.js'
import { braceFormat } from './format.js'
import { entriesOf, repr } from './print.js'
import { TEXT_METHODS } from './text-methods.js'
import {
  type Arguments,
  asSequence,
  type Callable,
  type Dict,
  equals,
  fail,
  isInteger,
  isUndefined,
  keyOf,
  noValue,
  numberOf,
  type Sequence,
  tagged,
  tuple,
  typeOf,
  undefinedValue,
  type Value,
} from './values.js'

const method = (name: string, call: (given: Arguments) => Value): Callable => ({
  kind: 'function',
  name,
  call,
})

/** Methods that would change what was given: transformers' environment forbids them. */
const CHANGING = new Set(
  'append clear pop reverse insert sort extend remove popitem setdefault update add discard'.split(' '),
)

const view = (kind: Sequence['kind'], items: Value[]): Sequence => ({ kind, items })

const DICT_METHODS: { [name: string]: (dict: Dict, given: Arguments) => Value } = {
  get(dict, given) {
    const [key, fallback] = bind('get', given, ['key', 'default'])
    if (key !== undefined && isUndefined(key)) return fallback ?? null
    return dict.get(keyOf(key ?? fail('get expected at least 1 argument, got 0'))) ?? fallback ?? null
  },
  items: (dict) => view('dict_items', entriesOf(dict)),
  keys: (dict) => view('dict_keys', [...dict.keys()]),
  values: (dict) => view('dict_values', [...dict.values()]),
  copy: (dict) => new Map(dict),
}

const LIST_METHODS: { [name: string]: (items: Value[], given: Arguments) => Value } = {
  count: (items, { args }) => items.filter((item) => equals(item, args[0])).length,
  index(items, { args }) {
    const at = items.findIndex((item) => equals(item, args[0]))
    return at < 0 ? fail(`${repr(args[0])} is not in list`) : at
  },
  copy: (items) => [...items],
}

/** An attribute as Python has it; undefined where there is none. */
function ownAttribute(value: Value, name: string, budget: Budget): Value | undefined {
  if (typeof value === 'string') {
    if (name === 'format') return method(name, (given) => formatted(value, given, budget))
    if (name === 'format_map')
      return method(name, ({ args }) => formatted(value, { args: [], named: namesIn(args[0]) }, budget))
    if (!Object.hasOwn(TEXT_METHODS, name)) return undefined
    return method(name, (given) => budget.made(TEXT_METHODS[name](value, given, budget)))
  }
  const found = tagged(value)
  if (found?.kind === 'record') return found.attributes.get(name)
  if (found?.kind === 'function') return found.attributes?.get(name)
  const list = Array.isArray(value)
    ? value
    : asSequence(value)?.kind === 'tuple'
      ? asSequence(value)?.items
      : undefined
  if ((list || value instanceof Map) && CHANGING.has(name))
    return method(name, () => fail(`access to attribute '${name}' of '${typeOf(value)}' object is unsafe.`))
  if (value instanceof Map && Object.hasOwn(DICT_METHODS, name))
    return method(name, (given) => budget.made(DICT_METHODS[name](value, given)))
  if (list && Object.hasOwn(LIST_METHODS, name))
    return method(name, (given) => budget.made(LIST_METHODS[name](list, given)))
  return undefined
}

const formatted = (text: string, given: Arguments, budget: Budget) =>
  braceFormat(text, given, budget, {
    attribute: (value, name) => attributeOf(value, name, budget),
    item: itemOf,
  })

const namesIn = (value: Value | undefined): Map<string, Value> =>
  value instanceof Map
    ? new Map([...value].map(([key, item]) => [String(key), item]))
    : fail('format_map() needs a mapping')

/** `value.name`: the attribute, else the item. */
export function attributeOf(value: Value, name: string, budget: Budget): Value {
  if (isUndefined(value)) return noValue(value)
  const own = ownAttribute(value, name, budget)
  if (own !== undefined) return own
  return (value instanceof Map ? value.get(name) : undefined) ?? missing(value, name)
}

/** `value[index]`: the item, else the attribute of that name, else undefined. */
export function subscriptOf(value: Value, index: Value, budget: Budget): Value {
  if (isUndefined(value)) return noValue(value)
  const item = itemIn(value, index)
  if (item !== undefined) return item
  if (typeof index !== 'string') return missing(value, repr(index))
  return ownAttribute(value, index, budget) ?? missing(value, index)
}

/** The item alone, or undefined as a template has it. */
export const itemOf = (value: Value, index: Value): Value =>
  itemIn(value, index) ?? missing(value, repr(index))

function itemIn(value: Value, index: Value): Value | undefined {
  if (value instanceof Map) {
    if (isUndefined(index)) return undefined
    const simple = index === null || typeof index === 'string' || numberOf(index) !== undefined
    return simple ? value.get(keyOf(index)) : undefined
  }
  const at = typeof index === 'boolean' ? Number(index) : index
  if (!isInteger(at)) return undefined
  if (typeof value === 'string') return characterAt(value, at)
  const sequence = asSequence(value)
  const items = Array.isArray(value)
    ? value
    : sequence && (sequence.kind === 'tuple' || sequence.kind === 'range')
      ? sequence.items
      : undefined
  return items?.at(at)
}

function characterAt(text: string, at: number): string | undefined {
  // In text without surrogate pairs units are characters.
  return /[\ud800-\udfff]/.test(text) ? [...text].at(at) : text.at(at)
}

const missing = (value: Value, name: string) =>
  undefinedValue(`'${name.replace(/^'|'$/g, '')}' of a ${typeOf(value)}`)

/** `value[start:stop:step]`. @throws Error for what has no slices */
export function sliceOf(value: Value, parts: (Value | undefined)[], budget: Budget): Value {
  if (isUndefined(value)) return noValue(value)
  const bounds = parts.map((part) => {
    if (part === undefined || part === null) return undefined
    return isInteger(part)
      ? part
      : typeof part === 'boolean'
        ? Number(part)
        : fail('slice indices must be integers or None')
  })
  const sequence = asSequence(value)
  if (typeof value === 'string') {
    const plain = !/[\ud800-\udfff]/.test(value)
    if (plain && (bounds[2] ?? 1) === 1) return budget.made(value.slice(bounds[0] ?? 0, bounds[1]))
    return budget.made(slice([...value], bounds).join(''))
  }
  if (Array.isArray(value)) return budget.made(slice(value, bounds))
  if (sequence?.kind === 'tuple' || sequence?.kind === 'range')
    return budget.made(tuple(slice(sequence.items, bounds)))
  return undefinedValue(`a slice of '${typeOf(value)}' object`)
}

function slice<T>(items: readonly T[], [from, to, by]: (number | undefined)[]): T[] {
  const step = by ?? 1
  if (step === 0) fail('slice step cannot be zero')
  if (step === 1) return items.slice(from ?? 0, to)
  const length = items.length
  const clamp = (at: number | undefined, fallback: number) => {
    if (at === undefined) return fallback
    const place = at < 0 ? at + length : at
    return step > 0 ? Math.min(Math.max(place, 0), length) : Math.min(Math.max(place, -1), length - 1)
  }
  const start = clamp(from, step > 0 ? 0 : length - 1)
  const stop = clamp(to, step > 0 ? length : -1)
  const found: T[] = []
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) found.push(items[i])
  return found
}
