/** Tokens to expressions, with Jinja's precedence. */
import type { CallArguments, Expression, Target } from './ast.js'
import { failAt, type Token } from './lex.js'
import { float } from './values.js'

/** Tokens, and which one is next. */
export interface Reader {
  tokens: Token[]
  at: number
}

export const next = (reader: Reader): Token => reader.tokens[reader.at]

const CLOSERS: Partial<Record<Token['type'], string>> = {
  'close block': '%}',
  'close print': '}}',
  end: 'the end',
}

export const failHere = (reader: Reader, message: string): never => failAt(next(reader).line, message)

const shown = ({ type, value }: Token) => CLOSERS[type] ?? `'${value}'`

export const isOperator = (reader: Reader, value: string): boolean =>
  next(reader).type === 'operator' && next(reader).value === value

export const isName = (reader: Reader, ...names: string[]): boolean =>
  next(reader).type === 'name' && names.includes(next(reader).value)

export function skipOperator(reader: Reader, value: string): boolean {
  const found = isOperator(reader, value)
  if (found) reader.at++
  return found
}

export function skipName(reader: Reader, name: string): boolean {
  const found = isName(reader, name)
  if (found) reader.at++
  return found
}

export function expectOperator(reader: Reader, value: string): void {
  if (!skipOperator(reader, value)) failHere(reader, `expected '${value}', found ${shown(next(reader))}`)
}

export function expectName(reader: Reader, name?: string): string {
  const token = next(reader)
  if (token.type !== 'name' || (name !== undefined && token.value !== name))
    failHere(reader, `expected ${name === undefined ? 'a name' : `'${name}'`}, found ${shown(token)}`)
  reader.at++
  return token.value
}

/** One expression, `a if b else c` included. */
export function parseExpression(reader: Reader, conditional = true): Expression {
  let found = parseOr(reader)
  while (conditional && skipName(reader, 'if')) {
    const test = parseOr(reader)
    const no = skipName(reader, 'else') ? parseExpression(reader) : undefined
    found = { type: 'condition', test, yes: found, no }
  }
  return found
}

/** One expression, or several with commas between them: a tuple. `ends` are names that end it. */
export function parseTuple(reader: Reader, conditional = true, ends: string[] = []): Expression {
  const items: Expression[] = []
  let isTuple = false
  while (!endsTuple(reader, ends)) {
    items.push(parseExpression(reader, conditional))
    if (!skipOperator(reader, ',')) break
    isTuple = true
  }
  if (!isTuple && items.length === 1) return items[0]
  return isTuple
    ? { type: 'tuple', items }
    : failHere(reader, `expected an expression, found ${shown(next(reader))}`)
}

const endsTuple = (reader: Reader, ends: string[]) =>
  ['close block', 'close print', 'end'].includes(next(reader).type) ||
  isOperator(reader, ')') ||
  isOperator(reader, ']') ||
  isName(reader, ...ends)

/** Names that are assigned to, or `namespace.attribute`. */
export function parseTarget(reader: Reader, single = false): Target {
  const targets: Target[] = []
  let isTuple = false
  while ((next(reader).type === 'name' && !isName(reader, 'in')) || isOperator(reader, '(')) {
    if (skipOperator(reader, '(')) {
      targets.push(parseTarget(reader))
      expectOperator(reader, ')')
    } else {
      const name = expectName(reader)
      if (skipOperator(reader, '.'))
        targets.push({ type: 'attribute', object: name, name: expectName(reader) })
      else targets.push({ type: 'name', name })
    }
    if (single || !skipOperator(reader, ',')) break
    isTuple = true
  }
  if (targets.length === 0) failHere(reader, `expected a name, found ${shown(next(reader))}`)
  return isTuple ? { type: 'targets', targets } : targets[0]
}

function parseOr(reader: Reader): Expression {
  let left = parseAnd(reader)
  while (skipName(reader, 'or')) left = { type: 'binary', operator: 'or', left, right: parseAnd(reader) }
  return left
}

function parseAnd(reader: Reader): Expression {
  let left = parseNot(reader)
  while (skipName(reader, 'and')) left = { type: 'binary', operator: 'and', left, right: parseNot(reader) }
  return left
}

function parseNot(reader: Reader): Expression {
  if (skipName(reader, 'not')) return { type: 'unary', operator: 'not', operand: parseNot(reader) }
  return parseCompare(reader)
}

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>=']

function parseCompare(reader: Reader): Expression {
  const first = parseSum(reader)
  const rest: [string, Expression][] = []
  for (;;) {
    const operator = COMPARISONS.find((sign) => isOperator(reader, sign))
    if (operator) {
      reader.at++
      rest.push([operator, parseSum(reader)])
    } else if (skipName(reader, 'in')) rest.push(['in', parseSum(reader)])
    else if (isName(reader, 'not') && reader.tokens[reader.at + 1]?.value === 'in') {
      reader.at += 2
      rest.push(['not in', parseSum(reader)])
    } else break
  }
  return rest.length === 0 ? first : { type: 'compare', first, rest }
}

function parseBinary(
  reader: Reader,
  operators: string[],
  operand: (reader: Reader) => Expression,
): Expression {
  let left = operand(reader)
  for (;;) {
    const operator = operators.find((sign) => isOperator(reader, sign))
    if (!operator) return left
    reader.at++
    left = { type: 'binary', operator, left, right: operand(reader) }
  }
}

const parseSum = (reader: Reader): Expression => parseBinary(reader, ['+', '-'], parseConcat)
const parseProduct = (reader: Reader): Expression => parseBinary(reader, ['*', '/', '//', '%'], parsePower)
const parsePower = (reader: Reader): Expression => parseBinary(reader, ['**'], parseUnary)

function parseConcat(reader: Reader): Expression {
  const parts = [parseProduct(reader)]
  while (skipOperator(reader, '~')) parts.push(parseProduct(reader))
  return parts.length === 1 ? parts[0] : { type: 'concat', parts }
}

function parseUnary(reader: Reader, filters = true): Expression {
  let found: Expression
  if (skipOperator(reader, '-')) found = { type: 'unary', operator: '-', operand: parseUnary(reader, false) }
  else if (skipOperator(reader, '+'))
    found = { type: 'unary', operator: '+', operand: parseUnary(reader, false) }
  else found = parsePrimary(reader)
  found = parsePostfix(reader, found)
  return filters ? parseFilters(reader, found) : found
}

const CONSTANTS = new Map<string, boolean | null>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])

function parsePrimary(reader: Reader): Expression {
  const token = next(reader)
  reader.at++
  if (token.type === 'name') {
    const constant = CONSTANTS.get(token.value)
    return constant === undefined
      ? { type: 'name', name: token.value }
      : { type: 'constant', value: constant }
  }
  if (token.type === 'string') {
    let value = token.value
    for (; next(reader).type === 'string'; reader.at++) value += next(reader).value
    return { type: 'constant', value }
  }
  const digits = token.value.replaceAll('_', '')
  if (token.type === 'integer') return { type: 'constant', value: Number(digits) }
  if (token.type === 'float') return { type: 'constant', value: float(Number(digits)) }
  if (token.type === 'operator' && token.value === '(') return parseParentheses(reader)
  if (token.type === 'operator' && token.value === '[')
    return { type: 'list', items: parseItems(reader, ']') }
  if (token.type === 'operator' && token.value === '{') return parseDict(reader)
  reader.at--
  return failHere(reader, `expected an expression, found ${shown(token)}`)
}

function parseParentheses(reader: Reader): Expression {
  if (skipOperator(reader, ')')) return { type: 'tuple', items: [] }
  const found = parseTuple(reader)
  expectOperator(reader, ')')
  return found
}

function parseItems(reader: Reader, close: string): Expression[] {
  const items: Expression[] = []
  while (!skipOperator(reader, close)) {
    if (items.length > 0) expectOperator(reader, ',')
    if (skipOperator(reader, close)) break
    items.push(parseExpression(reader))
  }
  return items
}

function parseDict(reader: Reader): Expression {
  const entries: [Expression, Expression][] = []
  while (!skipOperator(reader, '}')) {
    if (entries.length > 0) expectOperator(reader, ',')
    if (skipOperator(reader, '}')) break
    const key = parseExpression(reader)
    expectOperator(reader, ':')
    entries.push([key, parseExpression(reader)])
  }
  return { type: 'dict', entries }
}

function parsePostfix(reader: Reader, from: Expression): Expression {
  let found = from
  for (;;) {
    if (skipOperator(reader, '.')) found = parseAttribute(reader, found)
    else if (skipOperator(reader, '[')) found = parseSubscript(reader, found)
    else if (isOperator(reader, '(')) found = { type: 'call', callee: found, given: parseCall(reader) }
    else return found
  }
}

function parseAttribute(reader: Reader, of: Expression): Expression {
  const token = next(reader)
  if (token.type === 'integer') {
    reader.at++
    return { type: 'item', of, index: { type: 'constant', value: Number(token.value) } }
  }
  return { type: 'attribute', of, name: expectName(reader) }
}

function parseSubscript(reader: Reader, of: Expression): Expression {
  const parts: (Expression | undefined)[] = []
  let part: Expression | undefined
  let colons = 0
  while (!skipOperator(reader, ']')) {
    if (skipOperator(reader, ':')) {
      parts[colons++] = part
      part = undefined
      if (colons > 2) failHere(reader, 'a slice has three parts at most')
    } else if (part === undefined) part = parseExpression(reader)
    else failHere(reader, `expected ']', found ${shown(next(reader))}`)
  }
  if (colons === 0) return part ? { type: 'item', of, index: part } : failHere(reader, 'an index is missing')
  parts[colons] = part
  return { type: 'slice', of, parts }
}

export function parseCall(reader: Reader): CallArguments {
  expectOperator(reader, '(')
  const given: CallArguments = { args: [], named: [] }
  let first = true
  while (!skipOperator(reader, ')')) {
    if (!first) expectOperator(reader, ',')
    if (skipOperator(reader, ')')) break
    first = false
    if (skipOperator(reader, '*')) given.spread = parseExpression(reader)
    else if (skipOperator(reader, '**')) given.spreadNamed = parseExpression(reader)
    else if (next(reader).type === 'name' && isAssignment(reader.tokens[reader.at + 1])) {
      const name = expectName(reader)
      reader.at++
      given.named.push([name, parseExpression(reader)])
    } else {
      if (given.named.length > 0) failHere(reader, 'a positional argument follows a named one')
      given.args.push(parseExpression(reader))
    }
  }
  return given
}

const isAssignment = (token: Token | undefined) => token?.type === 'operator' && token.value === '='

function parseFilters(reader: Reader, from: Expression): Expression {
  let found = from
  for (;;) {
    if (isOperator(reader, '|')) found = parseFilter(reader, found)
    else if (skipName(reader, 'is')) found = parseTest(reader, found)
    else if (isOperator(reader, '(')) found = { type: 'call', callee: found, given: parseCall(reader) }
    else return found
  }
}

/** `|name(…)`; the first bar is left out inside `{% filter %}`. */
export function parseFilter(reader: Reader, operand?: Expression): Expression {
  let found = operand
  let first = operand === undefined
  while (first || skipOperator(reader, '|')) {
    first = false
    let name = expectName(reader)
    while (skipOperator(reader, '.')) name += `.${expectName(reader)}`
    const given = isOperator(reader, '(') ? parseCall(reader) : { args: [], named: [] }
    found = { type: 'filter', name, operand: found, given }
  }
  return found as Expression
}

function parseTest(reader: Reader, operand: Expression): Expression {
  const negated = skipName(reader, 'not')
  let name = expectName(reader)
  while (skipOperator(reader, '.')) name += `.${expectName(reader)}`
  let given: CallArguments = { args: [], named: [] }
  if (isOperator(reader, '(')) given = parseCall(reader)
  else if (beginsArgument(reader)) given.args.push(parsePostfix(reader, parsePrimary(reader)))
  return { type: 'test', name, operand, given, negated }
}

function beginsArgument(reader: Reader): boolean {
  const { type, value } = next(reader)
  if (type === 'operator') return value === '[' || value === '{'
  if (type === 'name') return !['else', 'or', 'and', 'if', 'is', 'in', 'not'].includes(value)
  return type === 'string' || type === 'integer' || type === 'float'
}
