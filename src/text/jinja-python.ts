/** Where the Jinja library computes otherwise than Python's Jinja: equality, and what counts as white space. */
import type { Template } from '@huggingface/jinja'

/** A node of the library's syntax tree, as far as it is looked at here. */
interface Node {
  type: string
  [key: string]: unknown
}

/** Python's white space; JavaScript's `trim` takes the byte-order mark and leaves U+001C … U+001F and U+0085. */
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const LEFT = new RegExp(`^[${SPACE}]+`)
const RIGHT = new RegExp(`[${SPACE}]+$`)

/** Python's `str.strip`, `lstrip` and `rstrip`: white space, or any of the given characters. */
export function pythonStrip(text: string, side: 'strip' | 'lstrip' | 'rstrip', chars?: string): string {
  if (typeof text !== 'string') throw new TypeError(`${side} of what is no text`)
  if (typeof chars !== 'string') {
    const begun = side === 'rstrip' ? text : text.replace(LEFT, '')
    return side === 'lstrip' ? begun : begun.replace(RIGHT, '')
  }
  const strip = new Set(chars)
  const points = [...text]
  let from = 0
  let to = points.length
  if (side !== 'rstrip') while (from < to && strip.has(points[from])) from++
  if (side !== 'lstrip') while (to > from && strip.has(points[to - 1])) to--
  return points.slice(from, to).join('')
}

/** Python's `==` on plain values: '' is not False, True is 1, lists and mappings are compared by what they hold. */
export function pythonEquals(a: unknown, b: unknown): boolean {
  const x = plain(a)
  const y = plain(b)
  if (Array.isArray(x) && Array.isArray(y))
    return x.length === y.length && x.every((item, i) => pythonEquals(item, y[i]))
  if (x instanceof Map && y instanceof Map)
    return x.size === y.size && [...x].every(([key, item]) => y.has(key) && pythonEquals(item, y.get(key)))
  return x === y
}

/** Inside lists and mappings the library keeps its own objects, with the value in `value`. */
function plain(value: unknown): unknown {
  const inner =
    value !== null && typeof value === 'object' && 'value' in value && !(value instanceof Map)
      ? (value as { value: unknown }).value
      : value
  return typeof inner === 'boolean' ? Number(inner) : inner
}

/** The functions that rewritten templates call; no template has these names. */
export const PYTHON_FUNCTIONS = {
  'python equals': pythonEquals,
  'python differs': (a: unknown, b: unknown) => !pythonEquals(a, b),
  'python strip': (text: string, chars?: string) => pythonStrip(text, 'strip', chars),
  'python lstrip': (text: string, chars?: string) => pythonStrip(text, 'lstrip', chars),
  'python rstrip': (text: string, chars?: string) => pythonStrip(text, 'rstrip', chars),
}

const call = (name: keyof typeof PYTHON_FUNCTIONS, args: unknown[]): Node => ({
  type: 'CallExpression',
  callee: { type: 'Identifier', value: name },
  args,
})

/** Puts calls of the functions above where a template compares or strips. Changes the template in place. */
export function rewriteAsPython({ parsed }: Template): void {
  rewrite(parsed as unknown as Node)
}

function rewrite(node: Node): Node {
  for (const [key, child] of Object.entries(node)) {
    if (Array.isArray(child)) node[key] = child.map((item) => (isNode(item) ? rewrite(item) : item))
    else if (child instanceof Map)
      node[key] = new Map([...child].map(([k, v]) => [k, isNode(v) ? rewrite(v) : v]))
    else if (isNode(child)) node[key] = rewrite(child)
  }
  return replaced(node) ?? node
}

const isNode = (value: unknown): value is Node =>
  value !== null && typeof value === 'object' && typeof (value as Node).type === 'string'

function replaced(node: Node): Node | undefined {
  if (node.type === 'BinaryExpression') {
    const operator = (node.operator as { value: string }).value
    if (operator === '==') return call('python equals', [node.left, node.right])
    if (operator === '!=') return call('python differs', [node.left, node.right])
  }
  if (node.type === 'CallExpression') {
    const callee = node.callee as Node
    const method = callee.type === 'MemberExpression' && !callee.computed && (callee.property as Node).value
    if (method === 'strip' || method === 'lstrip' || method === 'rstrip')
      return call(`python ${method}`, [callee.object, ...(node.args as Node[])])
  }
  if (node.type === 'FilterExpression' && (node.filter as Node).value === 'trim')
    return call('python strip', [node.operand])
  return undefined
}
