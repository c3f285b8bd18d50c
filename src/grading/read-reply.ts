/** Verdicts and grades out of what a judge says: one way to read each syntax, and never a guess. */
import { isObject } from '../files/json.js'
import { jsonFault } from '../files/strict-json.js'
import { type Said, type Slot, Unreadable } from './types.js'

/** A single grade is a number from 1 to 10. */
export const GRADES = [1, 10] as const

const SLOTS: Record<string, Slot> = {
  a: 'first',
  b: 'second',
  tie: 'tie',
  both_bad: 'both_bad',
}

/** `{"verdict": "A"}`; other fields may stand beside it. @throws Unreadable */
export const readJsonVerdict = (reply: string): Said => ({
  slot: theOne(
    objectsOf(reply, 'verdict').flatMap(({ verdict }) => slotOf(verdict) ?? []),
    reply,
  ),
})

/** `Both bad` is `both_bad`. */
const slotOf = (verdict: unknown): Slot | undefined =>
  typeof verdict === 'string'
    ? SLOTS[
        verdict
          .trim()
          .toLowerCase()
          .replace(/[\s-]+/g, '_')
      ]
    : undefined

/** `{"score": 7}`. @throws Unreadable */
export const readJsonGrade = (reply: string): { grade: number } =>
  theGrade(
    objectsOf(reply, 'score').flatMap(({ score }) => (typeof score === 'number' ? score : [])),
    reply,
  )

const BRACKETS: Record<string, Slot> = { A: 'first', B: 'second', C: 'tie' }

/** `[[A]]`, `[[B]]`, or `[[C]]` for a tie: the syntax of MT-bench. @throws Unreadable */
export const readBracketVerdict = (reply: string): Said => ({
  slot: theOne(
    [...spoken(reply).matchAll(/\[\[([ABC])\]\]/g)].map(([, letter]) => BRACKETS[letter]),
    reply,
  ),
})

/** `[[7]]`. @throws Unreadable */
export const readBracketGrade = (reply: string): { grade: number } =>
  theGrade(
    [...spoken(reply).matchAll(/\[\[(\d+(?:\.\d+)?)\]\]/g)].map(([, digits]) => Number(digits)),
    reply,
  )

/** @throws Unreadable */
function theGrade(found: readonly number[], reply: string): { grade: number } {
  const grade = theOne(found, reply, 'score')
  if (grade >= GRADES[0] && grade <= GRADES[1]) return { grade }
  throw new Unreadable(`a score outside ${GRADES.join(' to ')} in the reply ${shortened(reply)}`)
}

/** All that was found has to say the same: a judge that quotes a verdict out of an answer has then said nothing. */
function theOne<T>(found: readonly T[], reply: string, what: 'verdict' | 'score' = 'verdict'): T {
  const [first, ...others] = new Set(found)
  if (found.length > 0 && others.length === 0) return first
  throw new Unreadable(
    `${others.length > 0 ? `several ${what}s` : `no ${what}`} in the reply ${shortened(reply)}`,
  )
}

export const shortened = (reply: string): string =>
  JSON.stringify(reply.length > 120 ? `${reply.slice(0, 117)}...` : reply)

/** Without what a reasoning model thought before it spoke, and without thoughts that were cut off. */
export const spoken = (reply: string): string =>
  (reply.split('</think>').at(-1) as string).split('<think>')[0]

/**
 * The objects that stand in a reply, outermost ones only.
 * @throws Unreadable where one has the field twice: JSON.parse would take the last
 */
function objectsOf(reply: string, field: string): Record<string, unknown>[] {
  const text = spoken(reply)
  const objects: Record<string, unknown>[] = []
  for (let i = text.indexOf('{'); i >= 0; i = text.indexOf('{', i)) {
    const end = closingBrace(text, i)
    const source = text.slice(i, end + 1)
    const value = end < 0 ? undefined : lenient(source)
    const fault = isObject(value) && field in value ? jsonFault(source) : undefined
    if (fault) throw new Unreadable(`${fault.message} in the reply ${shortened(reply)}`)
    if (isObject(value)) objects.push(value)
    i = value === undefined ? i + 1 : end + 1
  }
  return objects
}

/** Index of the brace that closes the one at `open`, strings skipped; -1 where none does. */
function closingBrace(text: string, open: number): number {
  let depth = 0
  let quoted = false
  for (let i = open; i < text.length; i++) {
    const char = text[i]
    if (quoted && char === '\\') i++
    else if (char === '"') quoted = !quoted
    else if (!quoted && char === '{') depth++
    else if (!quoted && char === '}' && --depth === 0) return i
  }
  return -1
}

/** JSON with the slips that models make: commas before a closing brace, line feeds within strings. */
function lenient(text: string): unknown {
  const repaired = text
    .replace(/"(?:[^"\\]|\\.)*"/gs, (quoted) => quoted.replaceAll('\n', '\\n').replaceAll('\t', '\\t'))
    .replace(/("(?:[^"\\]|\\.)*")|,(\s*[}\]])/gs, (_, quoted, close) => quoted ?? close)
  for (const candidate of [text, repaired]) {
    try {
      return JSON.parse(candidate)
    } catch {}
  }
  return undefined
}
