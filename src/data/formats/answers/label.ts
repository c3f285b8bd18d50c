/** A label that names the best of several answers, in the ways that files write it. */

import { structuralFault } from '../../read/row-fault.js'
import { isMissing } from '../format.js'

/** What a label may call the answers by. */
export interface Named {
  /** Column names, keys of a map, or models; else empty texts. */
  names: readonly string[]
  /** What tells the columns apart: `a` and `b`, `1` and `2`; empty for a plain list. */
  suffixes: readonly string[]
  /** Models that answered, where the row names them. */
  models: readonly string[]
  texts: readonly string[]
}

/** 1 is best; equal ranks, and null, say nothing. */
export type Ranks = readonly (number | null)[]

const TIES = /^(tie|draw|both|equal|same|neither|none|tie ?\(both ?bad\)|both[ _-]?(good|bad)|[ab][=~][ab])$/
const ORDINALS: Record<string, number> = { first: 0, second: 1, third: 2, fourth: 3, left: 0, right: 1 }

/**
 * Ranks of the answers by a label: a name, letter or number, `A>B`, `A=B`, a tie, or the better text itself. A number is
 * the one of the columns' names; where these have none, it counts from 0.
 * @throws RowFault (structural) for null, true or false, and what names none of the answers
 */
export function labelled(value: unknown, at: string, answers: Named): Ranks {
  const count = answers.names.length
  if (isMissing(value)) {
    const what = (value ?? null) === null ? 'null' : String(value).trim() === '' ? 'empty' : 'NaN'
    throw structuralFault('wrong_type', `${at} is ${what}: it does not say which answer is better`)
  }
  const text = String(value).trim()
  const bare = text.replace(/^\[\[|\]\]$/g, '').trim()
  if (typeof value === 'string' && TIES.test(bare.toLowerCase())) return new Array<number>(count).fill(1)
  const best = placeOf(value, bare, answers)
  if (best !== undefined) return new Array(count).fill(2).map((rank, i) => (i === best ? 1 : rank))
  const chain = typeof value === 'string' ? chained(bare, answers) : undefined
  if (chain) return chain
  throw structuralFault('wrong_type', `${at} is ${JSON.stringify(value)?.slice(0, 60)}; ${wanted(answers)}`)
}

function wanted({ names, suffixes }: Named): string {
  if (suffixes.length > 0) return `it has to name one of ${names.join(', ')}`
  return names[0] ? `it has to be one of ${names.join(', ')}` : `the ${names.length} answers count from 0`
}

/** `A>B`, `b >> a`, `A>B=C`, `A<B`. */
function chained(text: string, answers: Named): Ranks | undefined {
  const parts = text.split(/\s*(>+|<+|=+|~|≻)\s*/)
  if (parts.length < 3) return undefined
  const turned = parts.some((part) => part.startsWith('<'))
  if (turned && parts.some((part) => /^[>≻]/.test(part))) return undefined
  const ranks: (number | null)[] = answers.names.map(() => null)
  let rank = 1
  for (let i = 0; i < parts.length; i += 2) {
    if (i > 0 && !/^[=~]/.test(parts[i - 1])) rank++
    const place = placeOf(parts[i], parts[i], answers)
    if (place === undefined || ranks[place] !== null) return undefined
    ranks[place] = turned ? -rank : rank
  }
  return ranks
}

function placeOf(
  value: unknown,
  text: string,
  { names, suffixes, models, texts }: Named,
): number | undefined {
  if (typeof value === 'boolean') return undefined
  const found = (list: readonly string[], wanted: string) => {
    const at = list.findIndex((name) => name !== '' && name.toLowerCase() === wanted)
    return at < 0 ? undefined : at
  }
  const low = text.toLowerCase()
  const exact = found(names, low) ?? found(models, low) ?? found(suffixes, low)
  if (exact !== undefined) return exact
  const isNumber = /^\d+(\.0+)?$/.test(low)
  if (isNumber) return numbered(Number(low), suffixes, names.length)
  if (low in ORDINALS) return ORDINALS[low] < names.length ? ORDINALS[low] : undefined
  const tail = /^(?:[a-z_]+[ _-]?)??([a-z]|\d+)$/.exec(low)?.[1]
  if (tail !== undefined && suffixes.length > 0 && found(suffixes, tail) !== undefined)
    return found(suffixes, tail)
  if (
    tail !== undefined &&
    /^(?:(?:response|answer|output|model|assistant|option|completion)[ _-]?)?[a-z]$/.test(low)
  ) {
    const letter = tail.charCodeAt(0) - 97
    return letter < names.length ? letter : undefined
  }
  const same = texts.findIndex((answer) => answer.trim() === text)
  return same < 0 ? undefined : same
}

/** Numbers in the columns' names are their numbers; other answers count from 0. */
function numbered(value: number, suffixes: readonly string[], count: number): number | undefined {
  if (suffixes.some((suffix) => /^\d+$/.test(suffix))) {
    const at = suffixes.findIndex((suffix) => Number(suffix) === value)
    return at < 0 ? undefined : at
  }
  return value < count ? value : undefined
}
