/** Lengths in tokens, for the commands of `clha data`. */
import { expect, test } from 'vitest'
import { measuredOnce } from '../../src/commands/data/token-lengths.js'
import type { Example } from '../../src/data/example.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'

const example = (row: number, prompt: string): Example => ({
  id: `${row}`,
  prompt,
  candidates: [{ text: ' a' }],
  preferences: [],
  source: 'own',
  file: 'own.jsonl',
  row,
})

test('data that are read twice are tokenised once, and have the same lengths', async () => {
  const tokenizer = await loadTokenizer(writeTinyTokenizer())
  let encoded = 0
  const counting = new Proxy(tokenizer, {
    get(target, key) {
      const value = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        encoded++
        return value.apply(target, args)
      }
    },
  })
  const rows = Array.from({ length: 130 }, (_, i) => example(i, `the${' cat'.repeat(i % 5)}`))
  const reader = { tokenizer: counting, template: await chatTemplate(tokenizer) }
  async function* read(from: number) {
    yield* rows.slice(from)
  }
  const measured = measuredOnce(read, reader)
  const lengths = async () => {
    const found = []
    for await (const one of measured(0)) found.push(one.lengths)
    return found
  }
  const first = await lengths()
  const once = encoded
  expect(once).toBeGreaterThan(0)
  expect(first[4]?.prompt).toBeGreaterThan(first[0]?.prompt as number)
  expect(await lengths()).toEqual(first)
  expect(encoded).toBe(once)
})
