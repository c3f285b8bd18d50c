/** Jinja's filters on lists and mappings. */
import { bind, countOf } from './arguments.js'
import { subscriptOf } from './attributes.js'
import type { Budget } from './budget.js'
import { binary } from './operators.js'
import { entriesOf, str } from './print.js'
import { testOf } from './tests.js'
import {
  type Arguments,
  compare,
  type Dict,
  equals,
  fail,
  generator,
  isUndefined,
  itemsOf,
  keyOf,
  lengthOf,
  truth,
  tuple,
  undefinedValue,
  type Value,
} from './values.js'

export interface FilterContext {
  budget: Budget
  apply(name: string, value: Value, given: Arguments): Value
  isFilter(name: string): boolean
}
export type Filter = (value: Value, given: Arguments, context: FilterContext) => Value

/** Reads `a.b.0` of an item, as the filters' `attribute` names it. */
function reader(attribute: Value | undefined, budget: Budget, fallback?: Value) {
  if (attribute === undefined || attribute === null) return (item: Value) => item
  const path: Value[] =
    typeof attribute === 'string'
      ? attribute.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part))
      : [attribute]
  return (item: Value) =>
    path.reduce((value: Value, part) => {
      const found = subscriptOf(value, part, budget)
      return isUndefined(found) && fallback !== undefined ? fallback : found
    }, item)
}

/** Texts are compared without case unless told otherwise. */
const folded = (sensitive: Value | undefined) => (item: Value) =>
  typeof item === 'string' && !(sensitive && truth(sensitive)) ? item.toLowerCase() : item

function sortedBy(items: Value[], key: (item: Value) => Value, reverse: boolean, budget: Budget): Value[] {
  budget.items(items.length * 4)
  const keyed = items.map((item) => ({ item, key: key(item) }))
  keyed.sort((a, b) => (reverse ? compare(b.key, a.key) : compare(a.key, b.key)))
  return keyed.map(({ item }) => item)
}

const sort: Filter = (value, given, { budget }) => {
  const [reverse, sensitive, attribute] = bind('sort', given, ['reverse', 'case_sensitive', 'attribute'])
  const names = typeof attribute === 'string' ? attribute.split(',') : [attribute]
  const readers = names.map((name) => reader(name, budget))
  const fold = folded(sensitive)
  const key = (item: Value) => tuple(readers.map((read) => fold(read(item))))
  return sortedBy(itemsOf(value), key, reverse !== undefined && truth(reverse), budget)
}

const dictsort: Filter = (value, given, { budget }) => {
  const [sensitive, by, reverse] = bind('dictsort', given, ['case_sensitive', 'by', 'reverse'])
  const dict = value instanceof Map ? value : fail('dictsort needs a mapping')
  const at = by === 'value' ? 1 : 0
  const fold = folded(sensitive)
  const key = (item: Value) => fold((item as { items: Value[] }).items[at])
  return sortedBy(entriesOf(dict), key, reverse !== undefined && truth(reverse), budget)
}

const unique: Filter = (value, given, { budget }) => {
  const [sensitive, attribute] = bind('unique', given, ['case_sensitive', 'attribute'])
  const read = reader(attribute, budget)
  const fold = folded(sensitive)
  const seen: Value[] = []
  const keys = new Set<Value>()
  return generator(
    itemsOf(value).filter((item) => {
      const key = fold(read(item))
      const simple = key === null || typeof key !== 'object'
      budget.step(simple ? 1 : seen.length)
      if (simple ? keys.has(keyOf(key)) : seen.some((other) => equals(other, key))) return false
      if (simple) keys.add(keyOf(key))
      else seen.push(key)
      return true
    }),
  )
}

const extreme =
  (sign: 1 | -1): Filter =>
  (value, given, { budget }) => {
    const [sensitive, attribute] = bind('max', given, ['case_sensitive', 'attribute'])
    const items = itemsOf(value)
    if (items.length === 0) return undefinedValue('an item of an empty sequence')
    const read = reader(attribute, budget)
    const fold = folded(sensitive)
    const key = (item: Value) => fold(read(item))
    return items.reduce((best, item) => (sign * compare(key(item), key(best)) > 0 ? item : best))
  }

const groupby: Filter = (value, given, { budget }) => {
  const [attribute, fallback, sensitive] = bind('groupby', given, ['attribute', 'default', 'case_sensitive'])
  const read = reader(attribute, budget, fallback)
  const fold = folded(sensitive)
  const key = (item: Value) => fold(read(item))
  const groups: { key: Value; items: Value[] }[] = []
  for (const item of sortedBy(itemsOf(value), key, false, budget)) {
    const last = groups.at(-1)
    if (last && equals(key(last.items[0]), key(item))) last.items.push(item)
    else groups.push({ key: read(item), items: [item] })
  }
  return groups.map((group) => tuple([group.key, group.items]))
}

const map: Filter = (value, given, { apply, budget }) => {
  const items = itemsOf(value)
  budget.items(items.length)
  if (given.args.length === 0 && given.named.has('attribute')) {
    const read = reader(given.named.get('attribute'), budget, given.named.get('default'))
    return generator(items.map(read))
  }
  const [name, ...args] = given.args
  if (typeof name !== 'string') return fail('map requires a filter argument')
  return generator(items.map((item) => apply(name, item, { args, named: given.named })))
}

const selecting =
  (wanted: boolean, byAttribute: boolean): Filter =>
  (value, { args }, { budget, isFilter }) => {
    const items = itemsOf(value)
    budget.items(items.length)
    const read = byAttribute
      ? reader(args[0] ?? fail('the attribute is missing'), budget)
      : (item: Value) => item
    const [name, ...rest] = byAttribute ? args.slice(1) : args
    const test = name === undefined ? truth : testOf(str(name), isFilter)
    return generator(items.filter((item) => test(read(item), rest, budget) === wanted))
  }

function sum(value: Value, given: Arguments, { budget }: FilterContext): Value {
  const [attribute, start] = bind('sum', given, ['attribute', 'start'])
  const read = reader(attribute, budget)
  return itemsOf(value).reduce((total: Value, item) => binary('+', total, read(item), budget), start ?? 0)
}

const batch: Filter = (value, given, { budget }) => {
  const [size, fill] = bind('batch', given, ['linecount', 'fill_with'])
  const count = countOf(size, 'linecount')
  if (count < 1) fail('linecount must be positive')
  if (fill !== undefined && fill !== null) budget.items(count)
  const items = itemsOf(value)
  const batches: Value[][] = []
  for (let i = 0; i < items.length; i += count) batches.push(items.slice(i, i + count))
  const last = batches.at(-1)
  if (last && fill !== undefined && fill !== null) while (last.length < count) last.push(fill)
  return generator(batches)
}

const slice: Filter = (value, given, { budget }) => {
  const [slices, fill] = bind('slice', given, ['slices', 'fill_with'])
  const count = countOf(slices, 'slices')
  budget.items(count)
  const items = itemsOf(value)
  const size = Math.floor(items.length / count)
  const extra = items.length % count
  let from = 0
  return generator(
    Array.from({ length: count }, (_, i) => {
      const part = items.slice(from, from + size + (i < extra ? 1 : 0))
      from += part.length
      return fill !== undefined && fill !== null && i >= extra ? [...part, fill] : part
    }),
  )
}

const join: Filter = (value, given, { budget }) => {
  const [separator, attribute] = bind('join', given, ['d', 'attribute'])
  const read = reader(attribute, budget)
  const texts = itemsOf(value).map((item) => str(read(item)))
  const by = separator === undefined ? '' : str(separator)
  budget.text(texts.reduce((total, text) => total + text.length + by.length, 0))
  return texts.join(by)
}

export const LIST_FILTERS: { [name: string]: Filter } = {
  sort,
  dictsort,
  unique,
  max: extreme(1),
  min: extreme(-1),
  groupby,
  map,
  select: selecting(true, false),
  reject: selecting(false, false),
  selectattr: selecting(true, true),
  rejectattr: selecting(false, true),
  sum,
  batch,
  slice,
  join,
  attr: (value, { args }, { budget }) => {
    const found =
      typeof args[0] === 'string' && !(value instanceof Map) ? subscriptOf(value, args[0], budget) : undefined
    return found ?? undefinedValue(`attribute ${str(args[0] ?? null)}`)
  },
  first: (value) => itemsOf(value)[0] ?? undefinedValue('the first item of an empty sequence'),
  last: (value) => itemsOf(value).at(-1) ?? undefinedValue('the last item of an empty sequence'),
  list: (value) => [...itemsOf(value)],
  length: (value) => lengthOf(value),
  count: (value) => lengthOf(value),
  items: (value) => {
    if (isUndefined(value)) return generator([])
    return generator(
      entriesOf(value instanceof Map ? (value as Dict) : fail('Can only get item pairs from a mapping.')),
    )
  },
  reverse: (value) =>
    typeof value === 'string' ? [...value].reverse().join('') : generator([...itemsOf(value)].reverse()),
}
