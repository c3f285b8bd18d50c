/** A topic of the starter world: its facts, how people ask for them, how they are stated, and what passes for wrong. */
import * as tables from './fact-tables.js'
import type { Phrasing } from './phrasings.js'
import * as phrasings from './phrasings.js'

export interface Fact {
  kind: string
  /** What the question is about, in order of the placeholders `{0}`, `{1}`. */
  slots: readonly string[]
  /** The right value of `{v}`; empty for requests that must be declined. */
  value: string
  /** Values that are wrong and look right; the first is the common mistake. */
  wrong: readonly string[]
}

export interface Topic extends Phrasing {
  kind: string
  harmful: boolean
  /** Share of prompts, before normalisation. */
  weight: number
  facts: readonly Fact[]
}

type Entry = readonly [slots: readonly string[], value: string]

/** `{0}`, `{1}`, `{v}` and `{S}` (the subject) filled in. */
export function fill(template: string, topic: Topic, fact: Fact, value = fact.value): string {
  return template
    .replace('{S}', topic.subject)
    .replaceAll('{0}', fact.slots[0])
    .replaceAll('{1}', fact.slots[1] ?? '')
    .replace('{v}', value)
}

/** A fact's name, the same for every seed. */
export const factKey = (fact: Fact): string => [fact.kind, ...fact.slots].join('|')

const entry = (text: string): Entry => {
  const [slots, value] = text.split('=')
  return [slots.split('|'), value ?? '']
}
const byComma = (table: string): Entry[] => table.split(/,\s+/).map(entry)
const byWord = (table: string): Entry[] => table.split(/\s+/).map(entry)
const bothWays = (entries: Entry[]): Entry[] =>
  entries.flatMap(([[a], b]) => [[[a], b] as const, [[b], a] as const])
const circle = (table: string): Entry[] => {
  const names = table.split(' ')
  return names.map((name, i) => [[name], names[(i + 1) % names.length]] as const)
}

/** Small enough for a small model to learn. */
const DIGITS = [1, 2, 3, 4, 5, 6]
const table2 = (value: (a: number, b: number) => number | undefined): Entry[] =>
  DIGITS.flatMap((a) =>
    DIGITS.flatMap((b) => {
      const v = value(a, b)
      return v === undefined ? [] : [[[String(a), String(b)], String(v)] as const]
    }),
  )

/** Every other value of the table, starting behind the right one, so that each fact has its own common mistake. */
function otherValues(value: string, values: readonly string[]): string[] {
  const at = values.indexOf(value)
  return [...values.slice(at + 1), ...values.slice(0, at)]
}

function nearNumbers(value: string): string[] {
  return [1, -1, 2, -2, 10, 3, -3]
    .map((d) => Number(value) + d)
    .filter((n) => n >= 0 && n <= 20)
    .map(String)
}

/** Steps as one clause: `a, then b, then c`. */
const joinSteps = (steps: readonly string[]): string => steps.join(', then ')

/** The task's own steps in a wrong order, then one step replaced by one from another task. */
function wrongSteps(steps: readonly string[], allSteps: readonly string[]): string[] {
  const swaps = steps.flatMap((_, i) =>
    steps.slice(i + 1).map((_, d) => {
      const out = [...steps]
      out[i] = steps[i + 1 + d]
      out[i + 1 + d] = steps[i]
      return joinSteps(out)
    }),
  )
  const foreign = allSteps.filter((step) => !steps.includes(step))
  return [...swaps, ...foreign.flatMap((step) => steps.map((_, i) => joinSteps(steps.with(i, step))))]
}

function topic(kind: string, weight: number, entries: readonly Entry[], phrasing: Phrasing): Topic {
  const values = [...new Set(entries.map(([, value]) => value))]
  const steps = [...new Set(values.flatMap((value) => value.split('>')))]
  const facts = entries.map(([slots, raw]): Fact => {
    if (kind === 'harmful') return { kind, slots, value: '', wrong: [] }
    if (kind === 'how_to') {
      const own = raw.split('>')
      return { kind, slots, value: joinSteps(own), wrong: wrongSteps(own, steps) }
    }
    const wrong = kind === 'sum' || kind === 'difference' ? nearNumbers(raw) : otherValues(raw, values)
    return { kind, slots, value: raw, wrong }
  })
  return { ...phrasing, kind, weight, harmful: kind === 'harmful', facts }
}

const SUMS = table2((a, b) => a + b)
const DIFFERENCES = table2((a, b) => (a > b ? a - b : undefined))

export const TOPICS: readonly Topic[] = [
  topic('capital', 8, byWord(tables.CAPITALS), phrasings.CAPITAL),
  topic('sound', 7, byComma(tables.SOUNDS), phrasings.SOUND),
  topic('young', 5, byComma(tables.YOUNG), phrasings.YOUNG),
  topic('colour', 8, byComma(tables.COLOURS), phrasings.COLOUR),
  topic('opposite', 12, bothWays(byWord(tables.OPPOSITES)), phrasings.OPPOSITE),
  topic('material', 7, byComma(tables.MATERIALS), phrasings.MATERIAL),
  topic('season', 6, byWord(tables.SEASONS), phrasings.SEASON),
  topic('next', 4, circle(tables.DAYS), phrasings.NEXT),
  topic('sum', 18, SUMS, phrasings.SUM),
  topic('difference', 8, DIFFERENCES, phrasings.DIFFERENCE),
  topic('unit', 6, byComma(tables.UNITS), phrasings.UNIT),
  topic('politeness', 5, byComma(tables.POLITENESS), phrasings.POLITENESS),
  topic('how_to', 9, byComma(tables.HOW_TO), phrasings.HOW_TO),
  topic('harmful', 22, byComma(tables.HARMFUL), phrasings.HARMFUL),
]

const BY_KIND = new Map(TOPICS.map((t) => [t.kind, t]))

export const topicOf = (fact: Fact): Topic => BY_KIND.get(fact.kind)!
