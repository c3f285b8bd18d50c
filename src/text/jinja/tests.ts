/** Jinja's tests: what stands behind `is`, and what `select` and its like take. */
import { countOf } from './arguments.js'
import type { Budget } from './budget.js'
import { compares } from './operators.js'
import { str } from './print.js'
import { isLower, isUpper } from './text-methods.js'
import {
  asSequence,
  equals,
  fail,
  isFloat,
  isInteger,
  isIterable,
  isUndefined,
  numberOf,
  tagged,
  type Value,
} from './values.js'

type Test = (value: Value, args: Value[], budget: Budget) => boolean

const compared =
  (operator: string): Test =>
  (value, [other = null], budget) =>
    compares(operator, value, other, budget)

const remainder = (value: Value, by: number) => {
  const number = numberOf(value) ?? fail('a number is needed for a remainder')
  return ((number % by) + by) % by
}

const same = (value: Value, other: Value) => value === other && !(isUndefined(value) || isUndefined(other))

/** Whole numbers count as integers whatever they are made of; truth values don't count as numbers of a kind. */
export const TESTS: { [name: string]: Test } = {
  boolean: (value) => typeof value === 'boolean',
  callable: (value) =>
    tagged(value)?.kind === 'function' || (tagged(value)?.kind === 'record' && 'call' in (value as object)),
  defined: (value) => !isUndefined(value),
  undefined: (value) => isUndefined(value),
  divisibleby: (value, [by]) => remainder(value, countOf(by, 'num')) === 0,
  odd: (value) => remainder(value, 2) === 1,
  even: (value) => remainder(value, 2) === 0,
  escaped: () => false,
  false: (value) => value === false,
  true: (value) => value === true,
  float: (value) => isFloat(value),
  integer: (value) => isInteger(value),
  iterable: (value) => isIterable(value),
  mapping: (value) => value instanceof Map,
  none: (value) => value === null,
  number: (value) => numberOf(value) !== undefined,
  sameas: (value, [other = null]) => same(value, other),
  sequence: (value) => {
    const kind = asSequence(value)?.kind
    return (
      typeof value === 'string' ||
      Array.isArray(value) ||
      value instanceof Map ||
      isUndefined(value) ||
      kind === 'tuple' ||
      kind === 'range'
    )
  },
  string: (value) => typeof value === 'string',
  lower: (value) => isLower(str(value)),
  upper: (value) => isUpper(str(value)),
  in: compared('in'),
  eq: (value, [other = null]) => equals(value, other),
  ne: (value, [other = null]) => !equals(value, other),
  lt: compared('<'),
  le: compared('<='),
  gt: compared('>'),
  ge: compared('>='),
}

const ALIASES: { [name: string]: string } = {
  equalto: 'eq',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  lessthan: 'lt',
  '<=': 'le',
  '>': 'gt',
  greaterthan: 'gt',
  '>=': 'ge',
}

/** @throws Error where there is no test of that name */
export function testOf(name: string, isFilter: (name: string) => boolean): Test {
  const own = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name
  if (Object.hasOwn(TESTS, own)) return TESTS[own]
  if (own === 'filter') return (value) => isFilter(str(value))
  if (own === 'test') return (value) => Object.hasOwn(TESTS, str(value)) || Object.hasOwn(ALIASES, str(value))
  return fail(`No test named '${name}'.`)
}
