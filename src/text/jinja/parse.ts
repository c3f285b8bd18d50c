/** Tokens to statements. */
import type { Expression, ForNode, MacroNode, Statement, Target } from './ast.js'
import { failAt, type Token, tokenize } from './lex.js'
import {
  expectName,
  expectOperator,
  failHere,
  isName,
  isOperator,
  next,
  parseExpression,
  parseFilter,
  parseTarget,
  parseTuple,
  type Reader,
  skipName,
  skipOperator,
} from './parse-expression.js'

/**
 * The statements of a template.
 * @throws Error with the line for what does not parse
 */
export function parseTemplate(source: string): Statement[] {
  const reader: Reader = { tokens: tokenize(source), at: 0 }
  try {
    return parseUntil(reader, [], '')
  } catch (error) {
    if (error instanceof RangeError) return failHere(reader, 'it is nested too deep')
    throw error
  }
}

/** Statements up to one of the tags `ends`, which is not taken. */
function parseUntil(reader: Reader, ends: string[], tag: string): Statement[] {
  const body: Statement[] = []
  const { line } = reader.tokens[Math.max(0, reader.at - 1)]
  for (;;) {
    const token = next(reader)
    reader.at++
    if (token.type === 'end') {
      if (ends.length > 0) failAt(line, `a block is not closed: {% ${tag} %} needs its {% ${ends.at(-1)} %}`)
      return body
    }
    if (token.type === 'data') body.push({ type: 'data', text: token.value })
    else if (token.type === 'open print') {
      body.push({ type: 'print', expression: parseTuple(reader) })
      close(reader, 'close print')
    } else {
      if (isName(reader, ...ends)) return body
      body.push(parseStatement(reader))
    }
  }
}

function close(reader: Reader, type: Token['type'] = 'close block'): void {
  const token = next(reader)
  if (token.type !== type)
    failHere(reader, `expected ${type === 'close block' ? '%}' : '}}'}, found ${token.value || token.type}`)
  reader.at++
}

/** The statements of a block up to its end tag, which is taken. */
function parseBody(reader: Reader, tag: string): Statement[] {
  close(reader)
  const body = parseUntil(reader, [`end${tag}`], tag)
  reader.at++
  return body
}

const STATEMENTS: { [tag: string]: (reader: Reader) => Statement } = {
  if: parseIf,
  for: parseFor,
  set: parseSet,
  with: parseWith,
  macro: (reader) => parseMacro(reader, expectName(reader)),
  call: parseCallBlock,
  filter(reader) {
    const filter = parseFilter(reader)
    return closed(reader, { type: 'filter block', filter, body: parseBody(reader, 'filter') })
  },
  generation: (reader) => closed(reader, { type: 'generation', body: parseBody(reader, 'generation') }),
  autoescape(reader) {
    parseExpression(reader)
    return closed(reader, { type: 'scope', body: parseBody(reader, 'autoescape') })
  },
  block(reader) {
    expectName(reader)
    while (skipName(reader, 'scoped') || skipName(reader, 'required'));
    const body = parseBody(reader, 'block')
    if (next(reader).type === 'name') reader.at++
    return closed(reader, { type: 'scope', body })
  },
  break: (reader) => closed(reader, { type: 'break' }),
  continue: (reader) => closed(reader, { type: 'continue' }),
}

function parseStatement(reader: Reader): Statement {
  const { line } = next(reader)
  const tag = expectName(reader)
  if (Object.hasOwn(STATEMENTS, tag)) return STATEMENTS[tag](reader)
  return failAt(line, `there is no tag '${tag}' here`)
}

function closed<T extends Statement>(reader: Reader, statement: T): T {
  close(reader)
  return statement
}

function parseIf(reader: Reader): Statement {
  const branches: { test: Expression; body: Statement[] }[] = []
  let otherwise: Statement[] = []
  for (;;) {
    const test = parseTuple(reader, false)
    close(reader)
    branches.push({ test, body: parseUntil(reader, ['elif', 'else', 'endif'], 'if') })
    if (skipName(reader, 'elif')) continue
    if (skipName(reader, 'else')) {
      close(reader)
      otherwise = parseUntil(reader, ['endif'], 'if')
    }
    expectName(reader, 'endif')
    return closed(reader, { type: 'if', branches, otherwise })
  }
}

function parseFor(reader: Reader): ForNode {
  const target = parseTarget(reader)
  expectName(reader, 'in')
  const over = parseTuple(reader, false, ['recursive', 'if'])
  const filter = skipName(reader, 'if') ? parseExpression(reader) : undefined
  const recursive = skipName(reader, 'recursive')
  close(reader)
  const body = parseUntil(reader, ['else', 'endfor'], 'for')
  let otherwise: Statement[] = []
  if (skipName(reader, 'else')) {
    close(reader)
    otherwise = parseUntil(reader, ['endfor'], 'for')
  }
  expectName(reader, 'endfor')
  return closed(reader, { type: 'for', target, over, filter, recursive, body, otherwise })
}

function parseSet(reader: Reader): Statement {
  const target = parseTarget(reader)
  if (skipOperator(reader, '=')) return closed(reader, { type: 'set', target, value: parseTuple(reader) })
  const filter = skipOperator(reader, '|') ? parseFilter(reader) : undefined
  return closed(reader, { type: 'set block', target, filter, body: parseBody(reader, 'set') })
}

function parseWith(reader: Reader): Statement {
  const values: [Target, Expression][] = []
  while (next(reader).type !== 'close block') {
    if (values.length > 0) expectOperator(reader, ',')
    const target = parseTarget(reader, true)
    expectOperator(reader, '=')
    values.push([target, parseExpression(reader)])
  }
  return closed(reader, { type: 'with', values, body: parseBody(reader, 'with') })
}

function parseParameters(reader: Reader): MacroNode['parameters'] {
  const parameters: MacroNode['parameters'] = []
  expectOperator(reader, '(')
  while (!skipOperator(reader, ')')) {
    if (parameters.length > 0) expectOperator(reader, ',')
    const name = expectName(reader)
    const fallback = skipOperator(reader, '=') ? parseExpression(reader) : undefined
    if (!fallback && parameters.at(-1)?.fallback)
      failHere(reader, `${name} has no default, the one before it has`)
    parameters.push({ name, fallback })
  }
  return parameters
}

function parseMacro(reader: Reader, name: string, tag = 'macro', given?: MacroNode['parameters']): MacroNode {
  const parameters = given ?? parseParameters(reader)
  const from = reader.at
  const body = parseBody(reader, tag)
  const uses = { caller: false, varargs: false, kwargs: false }
  for (const { type, value } of reader.tokens.slice(from, reader.at))
    if (type === 'name' && Object.hasOwn(uses, value)) uses[value as keyof typeof uses] = true
  return closed(reader, { type: 'macro', name, parameters, body, uses })
}

function parseCallBlock(reader: Reader): Statement {
  const parameters = isOperator(reader, '(') ? parseParameters(reader) : []
  const call = parseExpression(reader)
  if (call.type !== 'call') failHere(reader, 'expected a call')
  return { type: 'call block', call, macro: parseMacro(reader, 'caller', 'call', parameters) }
}
