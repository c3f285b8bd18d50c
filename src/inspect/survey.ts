/** What a data set consists of, collected row by row in bounded memory. */
import type { Example } from '../data/example.js'
import type { ReadFault } from '../data/read/row-fault.js'
import { saidIn } from '../dialogue.js'
import { createRandom } from '../random.js'
import { characters, words } from '../text/lengths.js'
import { createLabelLengths, type LabelLengths } from './length-bias.js'
import { mainScript } from './scripts.js'
import { createSketch, type Sketch, type Summary } from './sketch.js'

/** Tokens of one example. */
export interface TokenLengths {
  prompt: number
  answers: number[]
}

export interface SurveyResult {
  answers: number
  /** Prompts that are dialogues, and those that are literal text. */
  prompts: { dialogue: number; literal: number; system: number }
  /** Rows by the number of their answers. */
  answersPerRow: Record<string, number>
  /** Of dialogues: turns before the answer. */
  turns: Summary
  /** `sequence` is a prompt with its longest answer: what `max_length` cuts. */
  lengths: Record<string, Summary>
  /** Rows by the script of most of their letters. */
  scripts: Record<string, number>
  preferences: { pairs: number; rows: number; desirable: number; undesirable: number }
  rewards?: {
    answers: number
    values: Summary
    /** Pairs with two rewards, and those where the better answer has the higher one (ties count half). */
    pairs: number
    agree: number
  }
  lengthBias?: LabelLengths
  skipped: Record<string, { count: number; first: ReadFault[] }>
  examples: Example[]
}

export interface Survey {
  add(example: Example, tokens?: TokenLengths): void
  fault(fault: ReadFault): void
  result(): SurveyResult
}

/** Rows named for each reason. */
const NAMED = 5

/** @param examples how many rows are drawn as examples, each with the same chance; the same on every run */
export function createSurvey({ examples: wanted = 2 } = {}): Survey {
  const sketches = new Map<string, Sketch>()
  const measure = (name: string, value: number) => {
    const sketch = sketches.get(name) ?? createSketch()
    sketches.set(name, sketch)
    sketch.add(value)
  }
  const bias = createLabelLengths()
  const rewards = createRewards()
  const drawn = reservoir<Example>(wanted)
  const perRow = counter()
  const scripts = counter()
  const skipped: SurveyResult['skipped'] = {}
  const prompts = { dialogue: 0, literal: 0, system: 0 }
  const preferences = { pairs: 0, rows: 0, desirable: 0, undesirable: 0 }
  let answers = 0
  return {
    add(example, tokens) {
      const { prompt, candidates } = example
      const asked = saidIn(prompt)
      const texts = candidates.map(({ text }) => text)
      answers += texts.length
      perRow.add(String(texts.length))
      scripts.add(mainScript([asked, ...texts]))
      if (typeof prompt === 'string') prompts.literal++
      else {
        prompts.dialogue++
        measure('turns', prompt.length)
        if (prompt[0]?.role === 'system') prompts.system++
      }
      for (const [unit, size] of UNITS) {
        const own = size(asked)
        const sizes = texts.map(size)
        measureAll(measure, unit, own, sizes)
      }
      if (tokens) measureAll(measure, 'tokens', tokens.prompt, tokens.answers)
      countPreferences(example, preferences)
      bias.add(example)
      rewards.add(example)
      drawn.add(example)
    },
    fault(fault) {
      skipped[fault.code] ??= { count: 0, first: [] }
      const entry = skipped[fault.code]
      entry.count++
      if (entry.first.length < NAMED) entry.first.push(fault)
    },
    result: () => ({
      answers,
      prompts,
      answersPerRow: perRow.counts(),
      turns: (sketches.get('turns') ?? createSketch()).summary(),
      lengths: Object.fromEntries(
        [...sketches].filter(([name]) => name !== 'turns').map(([name, sketch]) => [name, sketch.summary()]),
      ),
      scripts: scripts.counts(),
      preferences,
      rewards: rewards.result(),
      lengthBias: bias.result(),
      skipped,
      examples: drawn.items,
    }),
  }
}

const UNITS = [
  ['characters', characters],
  ['words', words],
] as const

function measureAll(
  measure: (name: string, value: number) => void,
  unit: string,
  prompt: number,
  answers: readonly number[],
): void {
  measure(`${unit}/prompt`, prompt)
  for (const answer of answers) measure(`${unit}/answer`, answer)
  measure(`${unit}/sequence`, prompt + Math.max(0, ...answers))
}

function countPreferences({ candidates, preferences }: Example, counts: SurveyResult['preferences']): void {
  counts.pairs += preferences.length
  if (preferences.length > 0) counts.rows++
  for (const { desirable } of candidates) {
    if (desirable === true) counts.desirable++
    if (desirable === false) counts.undesirable++
  }
}

function createRewards() {
  const values = createSketch()
  let [pairs, agree] = [0, 0]
  return {
    add({ candidates, preferences }: Example) {
      for (const { reward } of candidates) if (reward !== undefined) values.add(reward)
      for (const { better, worse } of preferences) {
        const [a, b] = [candidates[better].reward, candidates[worse].reward]
        if (a === undefined || b === undefined) continue
        pairs++
        agree += a > b ? 1 : a === b ? 0.5 : 0
      }
    },
    result: () =>
      values.count === 0 ? undefined : { answers: values.count, values: values.summary(), pairs, agree },
  }
}

/** Counts by name, the largest first. */
function counter() {
  const counts = new Map<string, number>()
  return {
    add: (name: string) => void counts.set(name, (counts.get(name) ?? 0) + 1),
    counts: () => Object.fromEntries([...counts].sort((a, b) => b[1] - a[1])),
  }
}

/** A uniform sample of a stream (Vitter's algorithm R), in the order of the stream. */
function reservoir<T>(size: number) {
  const random = createRandom('examples')
  const held: { at: number; item: T }[] = []
  let seen = 0
  return {
    add(item: T) {
      const at = seen++
      if (held.length < size) held.push({ at, item })
      else {
        const slot = random.int(seen)
        if (slot < size) held[slot] = { at, item }
      }
    },
    get items() {
      return held.toSorted((a, b) => a.at - b.at).map(({ item }) => item)
    },
  }
}
