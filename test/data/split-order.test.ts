/** Splits, folds and the order of the data. */
import { describe, expect, test } from 'vitest'
import { epochOrder, stepIndices, stepsPerEpoch } from '../../src/data/encode/order.js'
import type { Example } from '../../src/data/example.js'
import { foldOf, type Part, partsByPrompt, type SplitOptions } from '../../src/data/split.js'

const example = (prompt: string, i: number): Example => ({
  id: String(i),
  prompt,
  candidates: [],
  preferences: [],
  source: 's',
  file: 'f',
  row: i,
})
const examples = Array.from({ length: 2000 }, (_, i) => example(`prompt ${i % 1000}`, i))

const PARTS = ['train', 'dev', 'test'] as const

/** The examples of one part. */
const partOf = (list: Example[], part: Part, options: SplitOptions) => {
  const parts = partsByPrompt(list, options)
  return list.filter((_, i) => parts[i] === part)
}

describe('splits', () => {
  const fractions = { train: 0.8, dev: 0.1, test: 0.1 }
  const third = { train: 0.7, dev: 0.3 }

  test('no prompt is in two splits and none is lost', () => {
    const options = { fractions, seed: 1 }
    const [train, dev, held] = PARTS.map((part) => partOf(examples, part, options))
    const prompts = [train, dev, held].map((list) => new Set(list.map((item) => item.prompt)))
    expect(train.length + dev.length + held.length).toBe(2000)
    expect(prompts[0].size + prompts[1].size + prompts[2].size).toBe(1000)
    expect(prompts[0].size).toBeGreaterThan(750)
    expect(prompts[1].size).toBeGreaterThan(70)
    expect(prompts[2].size).toBeGreaterThan(70)
  })

  test('the place of a prompt depends on it and the seed alone', () => {
    const ids = (list: Example[], seed: number) =>
      partOf(list, 'dev', { fractions: third, seed })
        .map((item) => item.id)
        .sort()
    expect(ids([...examples].reverse(), 1)).toEqual(ids(examples, 1))
    expect(ids(examples, 2)).not.toEqual(ids(examples, 1))
    expect(partOf(examples, 'train', { fractions: { train: 1, dev: 0 }, seed: 1 }).length).toBe(2000)
  })

  test.each([
    { train: 0.5, dev: 0.1 },
    { train: -0.5, dev: 1.5 },
  ])('%j is refused', (wrong) => {
    expect(() => partsByPrompt(examples, { fractions: wrong, seed: 1 })).toThrow('shares of the split')
  })

  test('folds are about equal and independent of the split', () => {
    const dev = partOf(examples, 'dev', { fractions: third, seed: 1 })
    const first = dev.filter(({ prompt }) => foldOf(prompt, 1, 2) === 0).length
    expect(first / dev.length).toBeGreaterThan(0.4)
    expect(first / dev.length).toBeLessThan(0.6)
    expect(new Set(examples.map(({ prompt }) => foldOf(prompt, 1, 5)))).toEqual(new Set([0, 1, 2, 3, 4]))
  })
})

describe('order', () => {
  test('an epoch is a permutation; epochs and seeds differ; it is the same every time', () => {
    const order = epochOrder(50, 3, 0)
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(epochOrder(50, 3, 0)).toEqual(order)
    expect(epochOrder(50, 3, 1)).not.toEqual(order)
    expect(epochOrder(50, 4, 0)).not.toEqual(order)
  })

  test('the steps of an epoch cover it once, the ragged last batch included', () => {
    expect(stepsPerEpoch(10, 4)).toBe(3)
    const steps = [3, 4, 5].map((step) => stepIndices(10, 4, 7, step))
    expect(steps.map(({ epoch, indices }) => [epoch, indices.length])).toEqual([
      [1, 4],
      [1, 4],
      [1, 2],
    ])
    expect(steps.flatMap(({ indices }) => [...indices])).toEqual([...epochOrder(10, 7, 1)])
  })

  test('a step asked for out of order is the same step', () => {
    const later = stepIndices(10, 3, 7, 9)
    expect([...stepIndices(10, 3, 8, 9).indices]).toEqual([...epochOrder(10, 8, 2).slice(3, 6)])
    expect([...stepIndices(9, 3, 8, 7).indices]).toEqual([...epochOrder(9, 8, 2).slice(3, 6)])
    stepIndices(10, 3, 7, 0)
    expect(stepIndices(10, 3, 7, 9)).toEqual(later)
  })
})
