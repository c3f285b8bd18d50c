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
  const measures = createMeasures()
  const prompts = createPrompts()
  const bias = createLabelLengths()
  const rewards = createRewards()
  const drawn = reservoir<Example>(wanted)
  const perRow = counter()
  const scripts = counter()
  const faults = createFaults()
  const preferences = { pairs: 0, rows: 0, desirable: 0, undesirable: 0 }
  let answers = 0
  return {
    add(example, tokens) {
      const asked = saidIn(example.prompt)
      const texts = example.candidates.map(({ text }) => text)
      answers += texts.length
      perRow.add(String(texts.length))
      scripts.add(mainScript([asked, ...texts]))
      prompts.add(example)
      for (const [unit, size] of UNITS) measures.add(unit, size(asked), texts.map(size))
      if (tokens) measures.add('tokens', tokens.prompt, tokens.answers)
      countPreferences(example, preferences)
      bias.add(example)
      rewards.add(example)
      drawn.add(example)
    },
    fault: faults.add,
    result: () => ({
      answers,
      prompts: prompts.counts,
      answersPerRow: perRow.counts(),
      turns: prompts.turns(),
      lengths: measures.summaries(),
      scripts: scripts.counts(),
      preferences,
      rewards: rewards.result(),
      lengthBias: bias.result(),
      skipped: faults.skipped,
      examples: drawn.items,
    }),
  }
}

const UNITS = [
  ['characters', characters],
  ['words', words],
] as const

/** Lengths of prompts, answers and of a prompt with its longest answer, by unit. */
function createMeasures() {
  const sketches = new Map<string, Sketch>()
  const measure = (name: string, value: number) => {
    const sketch = sketches.get(name) ?? createSketch()
    sketches.set(name, sketch)
    sketch.add(value)
  }
  return {
    add(unit: string, prompt: number, answers: readonly number[]): void {
      measure(`${unit}/prompt`, prompt)
      for (const answer of answers) measure(`${unit}/answer`, answer)
      measure(`${unit}/sequence`, prompt + Math.max(0, ...answers))
    },
    summaries: (): Record<string, Summary> =>
      Object.fromEntries([...sketches].map(([name, sketch]) => [name, sketch.summary()])),
  }
}

/** Kinds of prompts, and the turns of dialogues. */
function createPrompts() {
  const counts = { dialogue: 0, literal: 0, system: 0 }
  const turns = createSketch()
  return {
    counts,
    add({ prompt }: Example): void {
      if (typeof prompt === 'string') {
        counts.literal++
        return
      }
      counts.dialogue++
      turns.add(prompt.length)
      if (prompt[0]?.role === 'system') counts.system++
    },
    turns: (): Summary => turns.summary(),
  }
}

/** Rows left out, by reason. */
function createFaults() {
  const skipped: SurveyResult['skipped'] = {}
  return {
    skipped,
    add(fault: ReadFault): void {
      skipped[fault.code] ??= { count: 0, first: [] }
      const entry = skipped[fault.code]
      entry.count++
      if (entry.first.length < NAMED) entry.first.push(fault)
    },
  }
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
