/** The functions that every template has. */
import { bind, countOf, textOf } from './arguments.js'
import type { Budget } from './budget.js'
import { str } from './print.js'
import { strftime } from './strftime.js'
import { type Arguments, type Callable, type Dict, fail, itemsOf, keyOf, type Value } from './values.js'

/** Numbers in a range, as in Jinja's sandbox. */
const MAX_RANGE = 100_000

const named = (name: string, call: (given: Arguments) => Value): [string, Callable] => [
  name,
  { kind: 'function', name, call },
]

/** A mapping of the entries of `args[0]` and the named arguments. */
function dictOf({ args, named: entries }: Arguments): Dict {
  const dict: Dict = new Map()
  const [first] = args
  if (first instanceof Map) for (const [key, value] of first) dict.set(key, value)
  else if (first !== undefined)
    for (const pair of itemsOf(first)) {
      const [key = null, value = null] = itemsOf(pair)
      dict.set(keyOf(key), value)
    }
  for (const [key, value] of entries) dict.set(key, value)
  return dict
}

function range(given: Arguments, budget: Budget): Value {
  const { args } = given
  const [from, to] =
    args.length < 2
      ? [0, countOf(args[0], 'range()')]
      : [countOf(args[0], 'range()'), countOf(args[1], 'range()')]
  const step = countOf(args[2], 'range()', 1)
  if (step === 0) fail('range() arg 3 must not be zero')
  const count = Math.max(0, Math.ceil((to - from) / step))
  if (count > MAX_RANGE)
    fail(`Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`)
  budget.items(count)
  const items = Array.from({ length: count }, (_, i) => from + i * step)
  return { kind: 'range', items, text: `range(${from}, ${to}${step === 1 ? '' : `, ${step}`})` }
}

function cycler({ args }: Arguments): Value {
  if (args.length === 0) fail('at least one item has to be provided')
  let at = 0
  const attributes: Dict = new Map([['current', args[0]]])
  const moved = (to: number) => {
    at = to % args.length
    attributes.set('current', args[at])
  }
  const next = named('next', () => {
    const current = args[at]
    moved(at + 1)
    return current
  })
  const reset = named('reset', () => {
    moved(0)
    return null
  })
  for (const [name, method] of [next, reset]) attributes.set(name, method)
  return { kind: 'record', name: 'Cycler', attributes }
}

function joiner(given: Arguments): Value {
  const [separator = ', '] = bind('joiner', given, ['sep'])
  let used = false
  return {
    kind: 'function',
    name: 'joiner',
    call() {
      const first = !used
      used = true
      return first ? '' : separator
    },
  }
}

/** @param now what `strftime_now` speaks of */
export function globalsOf(now: Date, budget: Budget): Map<string, Value> {
  return new Map<string, Value>([
    named('range', (given) => range(given, budget)),
    named('dict', (given) => dictOf(given)),
    named('namespace', (given) => ({
      kind: 'record',
      name: 'Namespace',
      attributes: dictOf(given),
      settable: true,
    })),
    named('cycler', cycler),
    named('joiner', joiner),
    named('lipsum', () => fail('lipsum() makes random text; a chat template has none')),
    named('raise_exception', (given) => fail(str(bind('raise_exception', given, ['message'])[0] ?? ''))),
    named('strftime_now', (given) =>
      strftime(now, textOf(bind('strftime_now', given, ['format'])[0], 'format')),
    ),
  ])
}
