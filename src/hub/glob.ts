/** Patterns of file names: `*` and `?` within a folder, `**` over folders, `{a,b}` one of several. */

/** Whether a pattern has signs of its own; else it is a name. */
const isPattern = (text: string): boolean => /[*?{[]/.test(text)

/** Characters of a pattern, and alternatives that its braces may make: patterns come from the cards of data sets. */
const LONGEST = 1000
const ALTERNATIVES = 1000

/** The names that a pattern, a file's name or a folder's name means; none for a pattern that is none. */
export function matching(names: readonly string[], pattern: string): string[] {
  const bare = pattern.replace(/^\.?\//, '').replace(/\/$/, '')
  if (!isPattern(bare)) return names.filter((name) => name === bare || name.startsWith(`${bare}/`))
  const alternatives = bare.length > LONGEST ? undefined : expand(bare)
  const tokens = alternatives?.map(tokensOf)
  return names.filter((name) => tokens?.some((pieces) => pieces !== undefined && fits(name, pieces)))
}

/** `a{b,c}d` as `abd` and `acd`; undefined where braces are not closed or make too many. */
function expand(pattern: string): string[] | undefined {
  const close = pattern.indexOf('}')
  const open = pattern.lastIndexOf('{', close < 0 ? undefined : close)
  if (open < 0) return close < 0 ? [pattern] : undefined
  if (close < 0) return undefined
  const parts = pattern.slice(open + 1, close).split(',')
  const all: string[] = []
  for (const part of parts) {
    const rest = expand(pattern.slice(0, open) + part + pattern.slice(close + 1))
    if (!rest || all.length + rest.length > ALTERNATIVES) return undefined
    all.push(...rest)
  }
  return all
}

/** A sign that stands for one character, or for any number of them, in one folder or across folders. */
interface Piece {
  many: boolean
  holds(char: string): boolean
}

const inFolder = (char: string) => char !== '/'
const anywhere = () => true

function tokensOf(pattern: string): (Piece | 'folders')[] | undefined {
  const pieces: (Piece | 'folders')[] = []
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]
    if (pattern.startsWith('**/', at)) {
      pieces.push('folders')
      at += 2
    } else if (pattern.startsWith('**', at)) {
      pieces.push({ many: true, holds: anywhere })
      at++
    } else if (char === '*') pieces.push({ many: true, holds: inFolder })
    else if (char === '?') pieces.push({ many: false, holds: inFolder })
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 2)
      if (end < 0) return undefined
      pieces.push({ many: false, holds: setOf(pattern.slice(at + 1, end)) })
      at = end
    } else pieces.push({ many: false, holds: (other) => other === char })
  }
  return pieces
}

/** `abc`, `a-z`, and `!` or `^` in front of what is not meant. */
function setOf(text: string): (char: string) => boolean {
  const negated = text[0] === '!' || text[0] === '^'
  const body = negated ? text.slice(1) : text
  const ranges: [string, string][] = []
  for (let at = 0; at < body.length; at++) {
    const isRange = body[at + 1] === '-' && at + 2 < body.length
    ranges.push([body[at], isRange ? body[at + 2] : body[at]])
    if (isRange) at += 2
  }
  return (char) => char !== '/' && ranges.some(([from, to]) => from <= char && char <= to) !== negated
}

/** All places of the pattern are followed at once, so that a name takes its length times the pattern's and no more. */
function fits(name: string, pieces: readonly (Piece | 'folders')[]): boolean {
  let places = new Set([0])
  const settle = (set: Set<number>, atStart: boolean) => {
    for (const place of set) {
      const piece = pieces[place]
      if (piece === 'folders' ? atStart : piece?.many) set.add(place + 1)
    }
    return set
  }
  settle(places, true)
  for (let at = 0; at < name.length; at++) {
    const char = name[at]
    const next = new Set<number>()
    for (const place of places) {
      const piece = pieces[place]
      if (piece === 'folders') next.add(place)
      else if (piece?.holds(char)) next.add(piece.many ? place : place + 1)
    }
    places = settle(next, char === '/')
  }
  return places.has(pieces.length)
}
