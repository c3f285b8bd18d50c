/** Regular expressions of tokenizer.json that a hostile text could make run for ever. */
import { isObject } from '../files/json.js'

interface Group {
  /** Repeats something without end, in more than one way. */
  repeats: boolean
  /** `(?>…)`: what it matched is not tried again. */
  atomic: boolean
  /** How each of its alternatives begins. */
  starts: string[]
  fresh: boolean
}

const ATOM = /\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\u[\da-fA-F]{4}|\\[\s\S]|[\s\S]/y
const OPEN = /\((?:\?(?:[:=!>]|<[=!]|<\w+>|P<\w+>|[a-zA-Z-]+:|[a-zA-Z-]+\)|~|#))?/y
const QUANTIFIER = /(?:[*+?]|\{\d*,?\d*\})([?+]?)/y

/**
 * Whether a backtracking engine may take exponential time: a repeated group that repeats something without end itself,
 * as `([a-z]+)+`, or has two alternatives that begin alike, as `(a|ab)*`.
 */
export function isExponential(source: string): boolean {
  const groups: Group[] = [newGroup(false)]
  for (let at = 0; at < source.length; ) {
    const group = groups[groups.length - 1]
    const open = source[at] === '(' ? matchAt(OPEN, source, at) : ''
    if (open !== '') {
      begin(group, open)
      if (!open.endsWith(')')) groups.push(newGroup(open === '(?>'))
      at += open.length
      continue
    }
    if (source[at] === '|') {
      group.fresh = true
      at++
      continue
    }
    const closed = source[at] === ')' && groups.length > 1 ? groups.pop() : undefined
    const text = closed ? ')' : source[at] === '[' ? classAt(source, at) : matchAt(ATOM, source, at)
    const outer = groups[groups.length - 1]
    if (!closed) begin(outer, text)
    at += text.length
    const quantifier = matchAt(QUANTIFIER, source, at)
    at += quantifier.length
    const endless = /^(?:\*|\+|\{\d*,\})/.test(quantifier)
    const possessive = /^(?:[*+?]|\{.*\})\+$/.test(quantifier) && !quantifier.startsWith('{')
    const inner = closed !== undefined && !closed.atomic && (closed.repeats || alike(closed.starts))
    if (endless && !possessive && inner) return true
    outer.repeats ||= !possessive && (endless || (closed?.repeats === true && !closed.atomic))
  }
  return false
}

const newGroup = (atomic: boolean): Group => ({ repeats: false, atomic, starts: [], fresh: true })

function begin(group: Group, atom: string): void {
  if (group.fresh) group.starts.push(atom)
  group.fresh = false
}

const alike = (starts: readonly string[]) =>
  new Set(starts).size < starts.length || (starts.length > 1 && starts.includes('.'))

function matchAt(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0] ?? ''
}

/** A class in brackets, which may hold further ones. */
function classAt(source: string, from: number): string {
  let depth = 0
  for (let at = from; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === '[') depth++
    // A bracket that closes nothing yet is a sign of the class.
    else if (source[at] === ']' && at > from + 1 && --depth === 0) return source.slice(from, at + 1)
  }
  return source.slice(from)
}

/** The first such expression in the parts of a tokenizer; undefined where there is none. */
export function exponentialIn(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = exponentialIn(item)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isObject(value)) return undefined
  if (typeof value.Regex === 'string' && isExponential(value.Regex)) return value.Regex
  return exponentialIn(Object.values(value))
}
