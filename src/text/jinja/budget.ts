/** What rendering a template may cost: a template comes from whoever made the model. */
import { asSequence, type Value } from './values.js'

/** Steps of one rendering: names looked up, operators, turns of a loop, items walked. */
const STEPS = 5_000_000
/** Characters of one text, and items of one list. */
const TEXT = 1 << 26
const ITEMS = 1 << 20
/** Characters of all texts that one rendering makes. */
const CHARACTERS = 1 << 29
/** Milliseconds of one rendering; looked at every `TICK` steps. */
const TIME = 10_000
const TICK = 1 << 16
/** Macros within macros. */
const DEPTH = 200

export interface Budget {
  step(count?: number): void
  /** Room for a text of this many characters. */
  text(length: number): void
  items(count: number): void
  /** Counts a value that was made, and gives it back. */
  made<T extends Value>(value: T): T
  nested<T>(run: () => T): T
}

const spent = new WeakSet<Error>()

/** Whether a template was stopped because of what it costs. */
export const isSpent = (error: unknown): error is Error => error instanceof Error && spent.has(error)

export function tooMuch(what: string): never {
  const error = new Error(`it takes too much: ${what}`)
  spent.add(error)
  throw error
}

/** A fresh budget. Each of its functions throws an Error once the budget is spent. */
export function createBudget(): Budget {
  let steps = 0
  let characters = 0
  let depth = 0
  let look = TICK
  const end = performance.now() + TIME
  const budget: Budget = {
    step(count = 1) {
      steps += count
      if (steps > STEPS) tooMuch(`more than ${STEPS} steps`)
      if (steps < look) return
      look = steps + TICK
      if (performance.now() > end) tooMuch(`more than ${TIME / 1000} seconds`)
    },
    text(length) {
      characters += length
      if (length > TEXT || characters > CHARACTERS) tooMuch(`a text of more than ${TEXT} characters`)
      budget.step(Math.ceil(length / 1024))
    },
    items(count) {
      if (count > ITEMS) tooMuch(`a list of more than ${ITEMS} items`)
      budget.step(count)
    },
    made(value) {
      if (typeof value === 'string') budget.text(value.length)
      else if (Array.isArray(value)) budget.items(value.length)
      else if (value instanceof Map) budget.items(value.size)
      else budget.items(asSequence(value)?.items.length ?? 0)
      return value
    },
    nested(run) {
      if (++depth > DEPTH) tooMuch(`macros nested more than ${DEPTH} deep`)
      const result = run()
      depth--
      return result
    },
  }
  return budget
}
