/** Runs the statements of a template. */
import type { Expression, ForNode, MacroNode, Statement, Target } from './ast.js'
import { createBudget, tooMuch } from './budget.js'
import { callValue, evaluate, type Frame, filtered, given, lookUp, scopeOf } from './evaluate.js'
import { globalsOf } from './globals.js'
import { parseTemplate } from './parse.js'
import { str } from './print.js'
import {
  type Arguments,
  type Callable,
  type Dict,
  equals,
  fail,
  itemsOf,
  metered,
  type Record,
  truth,
  tuple,
  undefinedValue,
  type Value,
} from './values.js'

export interface RunOptions {
  /** What `strftime_now` speaks of. */
  now: Date
  /** Texts put where generation blocks begin and end. */
  marks?: [string, string]
}

export interface Template {
  /** @throws Error for what the template raises, what Python would not do, or a budget that is spent */
  run(variables: ReadonlyMap<string, Value>, options: RunOptions): string
  /** The template has generation blocks. */
  generates: boolean
  /** The template asks for the date. */
  dated: boolean
}

/**
 * A Jinja template as transformers' sandboxed environment compiles it (`trim_blocks`, `lstrip_blocks`, loop controls,
 * generation blocks), with Python's values.
 * @throws Error with the line for what does not parse
 */
export function compileJinja(source: string): Template {
  const body = parseTemplate(source)
  return {
    generates: JSON.stringify(body).includes('"type":"generation"'),
    dated: source.includes('strftime_now'),
    run(variables, { now, marks }) {
      const budget = createBudget()
      const globals = globalsOf(now, budget)
      const root: Frame = { scope: scopeOf(undefined, globals), budget, out: [] }
      const frame = { ...root, scope: scopeOf(root.scope, new Map(variables)), marks }
      try {
        metered(budget.step, () => execute(body, frame))
      } catch (error) {
        if (error instanceof RangeError) return tooMuch('calls nested too deep, or a text too long')
        throw error
      }
      return frame.out.join('')
    },
  }
}

/** How a list of statements ended: a loop is left or goes on with its next turn. */
type End = 'break' | 'continue' | undefined

function execute(body: readonly Statement[], frame: Frame): End {
  for (const statement of body) {
    frame.budget.step()
    const end = STATEMENTS[statement.type](statement as never, frame)
    if (end) return end
  }
  return undefined
}

function write(frame: Frame, text: string): void {
  frame.budget.text(text.length)
  frame.out.push(text)
}

/** What statements write, as text; their names end with them. */
function captured(body: readonly Statement[], frame: Frame): string {
  const inner = { ...within(frame), out: [] as string[] }
  execute(body, inner)
  return inner.out.join('')
}

const within = (frame: Frame, names: Map<string, Value> = new Map()): Frame => ({
  ...frame,
  scope: scopeOf(frame.scope, names),
})

const STATEMENTS: { [K in Statement['type']]: (node: Extract<Statement, { type: K }>, frame: Frame) => End } =
  {
    data: ({ text }, frame) => void write(frame, text),
    print: ({ expression }, frame) => void write(frame, str(evaluate(expression, frame))),
    if({ branches, otherwise }, frame) {
      const branch = branches.find(({ test }) => truth(evaluate(test, frame)))
      return execute(branch?.body ?? otherwise, frame)
    },
    for: (node, frame) => void runLoop(node, evaluate(node.over, frame), frame, 1),
    set: ({ target, value }, frame) => assign(target, evaluate(value, frame), frame),
    'set block'({ target, filter, body }, frame) {
      const text = captured(body, frame)
      assign(target, filter ? filtered(filter, text, frame) : text, frame)
    },
    with({ values, body }, frame) {
      const inner = within(frame)
      for (const [target, value] of values) assign(target, evaluate(value, frame), inner)
      return execute(body, inner)
    },
    'filter block': ({ filter, body }, frame) =>
      void write(frame, str(filtered(filter, captured(body, frame), frame))),
    macro: (node, frame) => void frame.scope.names.set(node.name, macroOf(node, frame)),
    'call block'({ call, macro }, frame) {
      if (call.type !== 'call') return undefined
      const callee = evaluate(call.callee, frame)
      const passed = given(call.given, frame)
      passed.named.set('caller', macroOf(macro, frame))
      write(frame, str(callValue(callee, passed, frame)))
    },
    generation({ body }, frame) {
      if (frame.marks) write(frame, frame.marks[0])
      const end = execute(body, within(frame))
      if (frame.marks) write(frame, frame.marks[1])
      return end
    },
    scope: ({ body }, frame) => execute(body, within(frame)),
    break: () => 'break',
    continue: () => 'continue',
  }

function assign(target: Target, value: Value, frame: Frame): undefined {
  if (target.type === 'name') frame.scope.names.set(target.name, value)
  else if (target.type === 'attribute') {
    const object = lookUp(target.object, frame) as Record
    if (object?.kind !== 'record' || !object.settable) fail('cannot assign attribute on non-namespace object')
    object.attributes.set(target.name, value)
  } else {
    const items = itemsOf(value)
    if (items.length !== target.targets.length)
      fail(`${items.length} values for ${target.targets.length} names`)
    target.targets.forEach((one, i) => {
      assign(one, items[i], frame)
    })
  }
}

function runLoop(node: ForNode, over: Value, frame: Frame, depth: number): void {
  const items = node.filter ? kept(node, itemsOf(over), frame) : itemsOf(over)
  if (items.length === 0) execute(node.otherwise, within(frame))
  let last: Value[] | undefined
  const changed: Callable = {
    kind: 'function',
    name: 'changed',
    call({ args }) {
      const differs = !last || !equals(tuple(last), tuple(args))
      last = args
      return differs
    },
  }
  for (let i = 0; i < items.length; i++) {
    frame.budget.step()
    const inner = within(frame)
    assign(node.target, items[i], inner)
    inner.scope.names.set('loop', loopRecord(items, i, depth, changed))
    if (node.recursive) recursion(node, inner, depth)
    if (execute(node.body, inner) === 'break') break
  }
}

function kept(node: ForNode, items: Value[], frame: Frame): Value[] {
  return items.filter((item) => {
    const inner = within(frame)
    assign(node.target, item, inner)
    return truth(evaluate(node.filter as Expression, inner))
  })
}

function loopRecord(items: Value[], i: number, depth: number, changed: Callable): Record {
  const count = items.length
  const cycle: Callable = {
    kind: 'function',
    name: 'cycle',
    call: ({ args }) => (args.length === 0 ? fail('no items for cycling given') : args[i % args.length]),
  }
  const attributes: Dict = new Map<Value, Value>([
    ['index', i + 1],
    ['index0', i],
    ['revindex', count - i],
    ['revindex0', count - i - 1],
    ['first', i === 0],
    ['last', i === count - 1],
    ['length', count],
    ['depth', depth],
    ['depth0', depth - 1],
    ['previtem', i > 0 ? items[i - 1] : undefinedValue('there is no previous item')],
    ['nextitem', i < count - 1 ? items[i + 1] : undefinedValue('there is no next item')],
    ['cycle', cycle],
    ['changed', changed],
  ])
  return { kind: 'record', name: 'LoopContext', attributes }
}

/** `loop(items)` inside the loop writes the loop's body for other items. */
function recursion(node: ForNode, frame: Frame, depth: number): void {
  const loop = frame.scope.names.get('loop') as Record
  loop.call = ({ args }) =>
    frame.budget.nested(() => {
      const inner = { ...frame, out: [] as string[] }
      runLoop(node, args[0] ?? null, inner, depth + 1)
      return inner.out.join('')
    })
}

/** A macro sees the names around its definition. */
function macroOf(node: MacroNode, frame: Frame): Callable {
  const { name, parameters } = node
  return {
    kind: 'function',
    name: `macro ${name}`,
    attributes: new Map<Value, Value>([
      ['name', name],
      ['arguments', tuple(parameters.map((parameter) => parameter.name))],
    ]),
    call: (passed) =>
      frame.budget.nested(() => {
        const inner = { ...within(frame), out: [] as string[] }
        bindParameters(node, passed, inner)
        execute(node.body, inner)
        return inner.out.join('')
      }),
  }
}

function bindParameters(
  { name, parameters, uses }: MacroNode,
  { args, named }: Arguments,
  frame: Frame,
): void {
  const { names } = frame.scope
  const rest = new Map(named)
  parameters.forEach((parameter, i) => {
    const own = rest.get(parameter.name)
    if (own !== undefined && i < args.length) fail(`macro '${name}' got two values for '${parameter.name}'`)
    rest.delete(parameter.name)
    const value = args[i] ?? own ?? (parameter.fallback && evaluate(parameter.fallback, frame))
    names.set(parameter.name, value ?? undefinedValue(`parameter '${parameter.name}' was not provided`))
  })
  const caller = rest.get('caller')
  rest.delete('caller')
  if (uses.caller) names.set('caller', caller ?? undefinedValue('No caller defined'))
  else if (caller !== undefined)
    fail(`macro '${name}' was invoked with two values for the special caller argument`)
  if (uses.kwargs) names.set('kwargs', new Map<Value, Value>(rest))
  else if (rest.size > 0) fail(`macro '${name}' takes no keyword argument '${[...rest.keys()][0]}'`)
  if (uses.varargs) names.set('varargs', tuple(args.slice(parameters.length)))
  else if (args.length > parameters.length)
    fail(`macro '${name}' takes not more than ${parameters.length} argument(s)`)
}
