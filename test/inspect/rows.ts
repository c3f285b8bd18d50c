/** Examples for the checks, each at a row of its own. */
import type { Candidate, Example } from '../../src/data/example.js'
import type { Prompt } from '../../src/dialogue.js'

let rows = 0

export const user = (content: string): Prompt => [{ role: 'user', content }]

/** A pair; the first answer is the better one. */
export function pair(prompt: Prompt | string, better: string, worse: string, more: Partial<Example> = {}) {
  rows += 1
  const example: Example = {
    id: `row-${rows}`,
    prompt,
    candidates: [{ text: better }, { text: worse }],
    preferences: [{ better: 0, worse: 1 }],
    source: 'test',
    file: 'test.jsonl',
    row: rows,
    ...more,
  }
  return example
}

/** An answer that calls the tool `name` and says nothing. */
export const calling = (name: string, ...given: string[]): Candidate => ({
  text: '',
  tool_calls: [{ type: 'function', function: { name, arguments: given } }],
})
