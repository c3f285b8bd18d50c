/** Annotators who err in their own ways. */
import { describe, expect, test } from 'vitest'
import { ClhaError } from '../../src/errors.js'
import { reversalProbabilities } from '../../src/world/annotators.js'
import { createWorld } from '../../src/world/index.js'

const pairs = [0.7, 1, 2, 4.5].flatMap((gap) => [-10, 0, 10].map((longer) => ({ gap, longer })))
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

describe.each(['even', 'closeness', 'length'] as const)('%s', (annotator) => {
  test.each([0, 0.1, 0.25, 0.4])('reverses %d of the labels on average', (noise) => {
    const p = reversalProbabilities(pairs, annotator, noise)
    expect(mean(p)).toBeCloseTo(noise, 10)
    expect(p.every((x) => x >= 0 && x <= 1)).toBe(true)
  })
})

test('closeness: by Bradley-Terry, so the log-odds of an error are in proportion to the gap', () => {
  const p = reversalProbabilities(pairs, 'closeness', 0.25)
  const logOdds = p.map((x) => Math.log((1 - x) / x))
  const unit = pairs.map(({ gap }, i) => logOdds[i] / gap)
  for (const u of unit) expect(u).toBeCloseTo(unit[0], 8)
  expect(p[0]).toBeGreaterThan(p[9])
})

test('length: only a worse answer that is longer misleads, one of equal length every other time', () => {
  const p = reversalProbabilities(pairs, 'length', 0.25)
  expect(p.slice(0, 3)).toEqual([0, 0.25, 0.5])
  expect(() => reversalProbabilities([{ gap: 1, longer: -1 }], 'length', 0.1)).toThrow(ClhaError)
})

const SMALL = { trainPairs: 400, devPrompts: 20, testPrompts: 20, demonstrations: 20 }

test('a world has the labels of its annotator; who errs evenly gives the labels of before', () => {
  const even = createWorld({ seed: 3, ...SMALL })
  const close = createWorld({ seed: 3, ...SMALL, annotator: 'closeness' })
  const gaps = (world: typeof even, reversed: boolean) =>
    world.train.flatMap((example) => {
      const { rewards, flipped } = world.truth(example)
      return flipped[0] === reversed ? [Math.abs(rewards[0] - rewards[1])] : []
    })
  expect(mean(gaps(close, true))).toBeLessThan(mean(gaps(close, false)) - 0.5)
  expect(Math.abs(mean(gaps(even, true)) - mean(gaps(even, false)))).toBeLessThan(0.5)
  const share = gaps(close, true).length / SMALL.trainPairs
  expect(Math.abs(share - 0.25)).toBeLessThan(0.07)
})

test('another annotator labels the same pairs, errs as often, and elsewhere', () => {
  const world = createWorld({ seed: 3, ...SMALL })
  const other = world.labelledBy('judge')
  expect(world.labelledBy('judge')).toEqual(other)
  expect(world.labelledBy('else')).not.toEqual(other)
  const texts = (example: (typeof other)[0]) => example.candidates.map(({ text }) => text)
  const agreed = world.train.map((example, i) => {
    expect(other[i].id).toBe(example.id)
    expect(texts(other[i]).sort()).toEqual(texts(example).sort())
    return Number(texts(other[i])[0] === texts(example)[0])
  })
  // Both right or both wrong: 0.75² + 0.25² = 0.625.
  expect(Math.abs(mean(agreed) - 0.625)).toBeLessThan(0.08)
})

test('second labels: as many pairs as asked for, chosen at random, each with both labels as votes', () => {
  const plain = createWorld({ seed: 3, ...SMALL })
  const world = createWorld({ seed: 3, ...SMALL, secondLabels: 200 })
  const texts = ({ train }: typeof world) => train.map(({ candidates }) => candidates)
  expect(texts(world)).toEqual(texts(plain))
  const again = world.train.filter(({ votes }) => votes)
  expect(again).toHaveLength(200)
  const [first] = world.train.flatMap(({ votes }, i) => (votes ? [i] : []))
  expect(first).toBeLessThan(20)
  const disagree = again.map(({ votes = [], preferences }) => {
    expect(votes).toHaveLength(2)
    expect(votes[0]).toEqual({ ...preferences[0], count: 1 })
    return Number(votes[0].better !== votes[1].better)
  })
  // 2 * 0.25 * 0.75 = 0.375.
  expect(Math.abs(mean(disagree) - 0.375)).toBeLessThan(0.11)
  expect(() => createWorld({ seed: 3, ...SMALL, secondLabels: 401 })).toThrow(ClhaError)
  expect(() => createWorld({ seed: 3, ...SMALL, secondLabels: 1, candidatesPerPrompt: 3 })).toThrow(ClhaError)
})
