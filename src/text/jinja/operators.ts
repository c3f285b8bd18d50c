/** Python's operators. */
import type { Budget } from './budget.js'
import { percentFormat } from './format.js'
import { str } from './print.js'
import {
  asSequence,
  compare,
  equals,
  fail,
  float,
  integer,
  isFloat,
  isUndefined,
  itemsOf,
  keyOf,
  noValue,
  numberOf,
  tuple,
  typeOf,
  type Value,
} from './values.js'

/** `left operator right`; `and` and `or` are decided before. @throws Error as Python has a TypeError */
export function binary(operator: string, left: Value, right: Value, budget: Budget): Value {
  if (operator === '%' && typeof left === 'string') return percentFormat(left, right, budget)
  if (isUndefined(left)) return noValue(left)
  if (isUndefined(right)) return noValue(right)
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a !== undefined && b !== undefined) {
    const result = arithmetic(operator, a, b)
    const real = operator === '/' || isFloat(left) || isFloat(right) || (operator === '**' && b < 0)
    return real ? float(result) : integer(result)
  }
  if (operator === '+') return joined(left, right, budget)
  if (operator === '*' && b !== undefined && !isFloat(right)) return repeated(left, b, budget)
  if (operator === '*' && a !== undefined && !isFloat(left)) return repeated(right, a, budget)
  return fail(`unsupported operand type(s) for ${operator}: '${typeOf(left)}' and '${typeOf(right)}'`)
}

function arithmetic(operator: string, a: number, b: number): number {
  if (b === 0 && ['/', '//', '%'].includes(operator)) fail('division by zero')
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '//':
      return Math.floor(a / b)
    case '%':
      return a - b * Math.floor(a / b)
    default:
      return a ** b
  }
}

function joined(left: Value, right: Value, budget: Budget): Value {
  if (typeof left === 'string' && typeof right === 'string') {
    budget.text(left.length + right.length)
    return left + right
  }
  if (Array.isArray(left) && Array.isArray(right)) return budget.made([...left, ...right])
  const [a, b] = [asSequence(left), asSequence(right)]
  if (a?.kind === 'tuple' && b?.kind === 'tuple') return budget.made(tuple([...a.items, ...b.items]))
  if (typeof left === 'string') return fail(`can only concatenate str (not "${typeOf(right)}") to str`)
  return fail(`unsupported operand type(s) for +: '${typeOf(left)}' and '${typeOf(right)}'`)
}

function repeated(value: Value, times: number, budget: Budget): Value {
  const count = Math.max(0, times)
  if (typeof value === 'string') {
    budget.text(value.length * count)
    return value.repeat(count)
  }
  const items = Array.isArray(value)
    ? value
    : typeOf(value) === 'tuple'
      ? (asSequence(value)?.items ?? [])
      : undefined
  if (!items) return fail(`can't multiply sequence by non-int of type '${typeOf(value)}'`)
  budget.items(items.length * count)
  const all = Array.from({ length: count }, () => items).flat()
  return Array.isArray(value) ? all : tuple(all)
}

export function unary(operator: string, value: Value): Value {
  if (isUndefined(value)) return noValue(value)
  const number = numberOf(value)
  if (number === undefined) return fail(`bad operand type for unary ${operator}: '${typeOf(value)}'`)
  const result = operator === '-' ? -number : number
  return isFloat(value) ? float(result) : integer(result)
}

export function compares(operator: string, left: Value, right: Value, budget: Budget): boolean {
  switch (operator) {
    case '==':
      return equals(left, right)
    case '!=':
      return !equals(left, right)
    case 'in':
      return contains(right, left, budget)
    case 'not in':
      return !contains(right, left, budget)
    case '<':
      return compare(left, right, operator) < 0
    case '<=':
      return compare(left, right, operator) <= 0
    case '>':
      return compare(left, right, operator) > 0
    default:
      return compare(left, right, operator) >= 0
  }
}

/** `item in whole`. */
export function contains(whole: Value, item: Value, budget: Budget): boolean {
  if (typeof whole === 'string') {
    if (isUndefined(item)) return noValue(item)
    if (typeof item === 'string') return whole.includes(item)
    return fail(`'in <string>' requires string as left operand, not ${typeOf(item)}`)
  }
  if (whole instanceof Map) return !isUndefined(item) && whole.has(keyOf(item))
  if (whole === null || numberOf(whole) !== undefined)
    return fail(`argument of type '${typeOf(whole)}' is not iterable`)
  const items = itemsOf(whole)
  budget.step(items.length)
  return items.some((other) => equals(other, item))
}

/** `a ~ b`: the texts of values, one after the other. */
export function concat(values: Value[], budget: Budget): string {
  return budget.made(values.map(str).join(''))
}
