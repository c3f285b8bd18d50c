/** What JSON.parse takes in silence and data from elsewhere must not have: deep nesting, keys that stand twice, `__proto__`. */

export interface JsonFault {
  code: 'too_deep' | 'too_many' | 'proto_key' | 'duplicate_key'
  message: string
}

export interface JsonLimits {
  /** Levels of nesting. */
  depth?: number
  /** Values in all, those of lists and objects counted. */
  values?: number
}

const DEPTH = 64

/** The first such fault of a text, looked for without building anything; whether it is JSON at all, JSON.parse says. */
export function jsonFault(text: string, limits: JsonLimits = {}): JsonFault | undefined {
  const { depth = DEPTH, values = Number.POSITIVE_INFINITY } = limits
  const open: (Set<string> | undefined)[] = []
  let seen = 1
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '{' || char === '[') {
      open.push(char === '{' ? new Set() : undefined)
      seen += 1
      if (open.length > depth) return { code: 'too_deep', message: `nested deeper than ${depth} levels` }
    } else if (char === '}' || char === ']') open.pop()
    else if (char === ',') {
      seen += 1
      if (seen > values) return { code: 'too_many', message: `more than ${values} values` }
    } else if (char === '"') {
      const end = closingQuote(text, i)
      const keys = open.at(-1)
      const fault = keys && nextIsColon(text, end + 1) ? keyFault(keys, text.slice(i, end + 1)) : undefined
      if (fault) return fault
      i = end
    }
  }
  return undefined
}

function closingQuote(text: string, open: number): number {
  let end = open
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end < 0) return text.length
    let backslashes = 0
    while (text[end - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return end
  }
}

function nextIsColon(text: string, from: number): boolean {
  let i = from
  while (text[i] === ' ' || text[i] === '\t' || text[i] === '\n' || text[i] === '\r') i++
  return text[i] === ':'
}

function keyFault(keys: Set<string>, quoted: string): JsonFault | undefined {
  let key = quoted
  try {
    key = JSON.parse(quoted) as string
  } catch {
    return undefined // JSON.parse of the whole text will say what is wrong
  }
  if (key === '__proto__') return { code: 'proto_key', message: 'the key "__proto__" is not allowed' }
  if (keys.has(key))
    return { code: 'duplicate_key', message: `the key ${JSON.stringify(shortened(key))} stands twice` }
  keys.add(key)
  return undefined
}

const LONGEST = 60

const shortened = (key: string): string => (key.length > LONGEST ? `${key.slice(0, LONGEST - 1)}…` : key)
