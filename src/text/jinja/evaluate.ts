/** Evaluates the expressions of a template. */
import type { CallArguments, Expression } from './ast.js'
import { attributeOf, sliceOf, subscriptOf } from './attributes.js'
import type { Budget } from './budget.js'
import { FILTERS } from './filters.js'
import type { FilterContext } from './list-filters.js'
import { binary, compares, concat, unary } from './operators.js'
import { testOf } from './tests.js'
import {
  type Arguments,
  fail,
  isUndefined,
  itemsOf,
  keyOf,
  noValue,
  tagged,
  truth,
  tuple,
  typeOf,
  undefinedValue,
  type Value,
} from './values.js'

export interface Scope {
  names: Map<string, Value>
  parent?: Scope
}

/** Where statements run: their names, where they write, what they may cost. */
export interface Frame {
  scope: Scope
  out: string[]
  budget: Budget
  marks?: [string, string]
}

export const scopeOf = (parent: Scope | undefined, names: Map<string, Value>): Scope => ({ parent, names })

export function lookUp(name: string, { scope }: Frame): Value {
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    const found = at.names.get(name)
    if (found !== undefined) return found
  }
  return undefinedValue(`'${name}'`)
}

/** @throws Error as Python does */
export function evaluate(node: Expression, frame: Frame): Value {
  frame.budget.step()
  return EXPRESSIONS[node.type](node as never, frame)
}

const EXPRESSIONS: {
  [K in Expression['type']]: (node: Extract<Expression, { type: K }>, frame: Frame) => Value
} = {
  constant: ({ value }) => value,
  name: ({ name }, frame) => lookUp(name, frame),
  list: ({ items }, frame) => items.map((item) => evaluate(item, frame)),
  tuple: ({ items }, frame) => tuple(items.map((item) => evaluate(item, frame))),
  dict: ({ entries }, frame) =>
    new Map(entries.map(([key, value]) => [keyOf(evaluate(key, frame)), evaluate(value, frame)])),
  attribute: ({ of, name }, frame) => attributeOf(evaluate(of, frame), name, frame.budget),
  item: ({ of, index }, frame) => subscriptOf(evaluate(of, frame), evaluate(index, frame), frame.budget),
  slice: ({ of, parts }, frame) => {
    const value = evaluate(of, frame)
    return sliceOf(
      value,
      parts.map((part) => part && evaluate(part, frame)),
      frame.budget,
    )
  },
  call: (node, frame) => callValue(evaluate(node.callee, frame), given(node.given, frame), frame),
  filter: (node, frame) =>
    filtered(node, evaluate(node.operand ?? fail('a filter has nothing to work on'), frame), frame),
  test({ name, operand, given: passed, negated }, frame) {
    const test = testOf(name, isFilter)
    return test(evaluate(operand, frame), given(passed, frame).args, frame.budget) !== negated
  },
  unary({ operator, operand }, frame) {
    const value = evaluate(operand, frame)
    return operator === 'not' ? !truth(value) : unary(operator, value)
  },
  binary({ operator, left, right }, frame) {
    const value = evaluate(left, frame)
    if (operator === 'and') return truth(value) ? evaluate(right, frame) : value
    if (operator === 'or') return truth(value) ? value : evaluate(right, frame)
    return binary(operator, value, evaluate(right, frame), frame.budget)
  },
  compare({ first, rest }, frame) {
    let left = evaluate(first, frame)
    for (const [operator, operand] of rest) {
      const right = evaluate(operand, frame)
      if (!compares(operator, left, right, frame.budget)) return false
      left = right
    }
    return true
  },
  concat: ({ parts }, frame) =>
    concat(
      parts.map((part) => evaluate(part, frame)),
      frame.budget,
    ),
  condition({ test, yes, no }, frame) {
    if (truth(evaluate(test, frame))) return evaluate(yes, frame)
    return no ? evaluate(no, frame) : undefinedValue('the value of an inline if without else')
  },
}

/** The values of a call's arguments. */
export function given({ args, named, spread, spreadNamed }: CallArguments, frame: Frame): Arguments {
  const values = args.map((arg) => evaluate(arg, frame))
  if (spread) values.push(...itemsOf(evaluate(spread, frame)))
  const names = new Map(named.map(([name, value]) => [name, evaluate(value, frame)]))
  if (spreadNamed) {
    const more = evaluate(spreadNamed, frame)
    if (!(more instanceof Map)) return fail('argument after ** must be a mapping')
    for (const [name, value] of more) names.set(String(name), value)
  }
  return { args: values, named: names }
}

/** @throws Error for what can't be called */
export function callValue(callee: Value, passed: Arguments, { budget }: Frame): Value {
  if (isUndefined(callee)) return noValue(callee)
  budget.step()
  const found = tagged(callee)
  if (found?.kind === 'function') return found.call(passed)
  if (found?.kind === 'record' && found.call) return found.call(passed)
  return fail(`'${typeOf(callee)}' object is not callable`)
}

const isFilter = (name: string) => Object.hasOwn(FILTERS, name)

/** A value after a filter; the operand of the first filter of a chain is the value itself. */
export function filtered(node: Expression, value: Value, frame: Frame): Value {
  if (node.type !== 'filter') return value
  const operand =
    node.operand?.type === 'filter' && !hasValue(node.operand) ? filtered(node.operand, value, frame) : value
  return applyFilter(node.name, operand, given(node.given, frame), frame.budget)
}

/** Whether a chain of filters begins with an expression of its own. */
const hasValue = (node: Expression): boolean =>
  node.type !== 'filter' || (node.operand !== undefined && hasValue(node.operand))

function applyFilter(name: string, value: Value, passed: Arguments, budget: Budget): Value {
  if (!isFilter(name)) return fail(`No filter named '${name}'.`)
  const context: FilterContext = {
    budget,
    isFilter,
    apply: (other, item, args) => applyFilter(other, item, args, budget),
  }
  budget.step()
  return budget.made(FILTERS[name](value, passed, context))
}
