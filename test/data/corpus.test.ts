/** A row of a corpus keeps all that is known of its example. */
import { expect, test } from 'vitest'
import { corpusOf, inParts, partOf, select, where, withoutPart } from '../../src/data/corpus.js'
import type { Example } from '../../src/data/example.js'

const example = (name: string): Example => ({
  // Ids are those of their files: two rows may share one.
  id: '0',
  prompt: name,
  candidates: [{ text: 'a' }],
  preferences: [],
  source: '',
  file: `${name}.jsonl`,
  row: 1,
})

const corpus = {
  ...corpusOf([example('a'), example('b'), example('c'), example('d')]),
  parts: ['dev', 'train', 'test', 'train'] as const,
  rewards: [[1], [2], [3], [4]],
  encoding: 'one',
  weights: [10, 20, 30, 40],
}

const prompts = ({ examples }: { examples: readonly Example[] }) => examples.map(({ prompt }) => prompt)

test('selected rows bring every column along, also one that only this corpus has; what is no column stays', () => {
  const chosen = select(corpus, [3, 0])
  expect(prompts(chosen)).toEqual(['d', 'a'])
  expect(chosen.rewards).toEqual([[4], [1]])
  expect(chosen.weights).toEqual([40, 10])
  expect(chosen.parts).toEqual(['train', 'dev'])
  expect(chosen.encoding).toBe('one')
})

test('parts are told by the row, not by an id: rows with the same id stay on their sides', () => {
  expect(prompts(partOf(corpus, 'train'))).toEqual(['b', 'd'])
  expect(prompts(withoutPart(corpus, 'test'))).toEqual(['a', 'b', 'd'])
  expect(where(corpus, ({ prompt }) => prompt === 'c').rewards).toEqual([[3]])
})

test('in parts: training rows first, each part in the order of its files', () => {
  const ordered = inParts(corpus)
  expect(prompts(ordered)).toEqual(['b', 'd', 'a', 'c'])
  expect(ordered.weights).toEqual([20, 40, 10, 30])
})
