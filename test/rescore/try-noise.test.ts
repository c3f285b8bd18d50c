import { expect, test } from 'vitest'
import { rankDefaults } from '../../src/rescore/rank.js'
import { tryNoise } from '../../src/rescore/try-noise.js'
import { example } from './helpers.js'

/** Odd rows have their better answer second; the last row's scorer is wrong, the one before says nothing. */
const examples = Array.from({ length: 40 }, (_, i) =>
  example(2, [i % 2 === 0 ? [0, 1] : [1, 0]], { id: `row ${i}`, prompt: `question ${i}`, row: i + 1 }),
)
const sure = examples.map((_, i) => (i % 2 === 0 ? [30, -30] : [-30, 30]))
const believed = (rewards: number[][]) => ({
  examples,
  rewards,
  options: {
    rank: { ...rankDefaults, labelSource: 'posterior' as const },
    calibrate: { temperature: 1, labelError: 0.2 },
  },
})

test('a scorer that knows the truth finds every label that was reversed, and no other', () => {
  const trial = tryNoise(believed(sure), { level: 0.25, doubles: 0, seed: 1 })
  expect(trial.labels).toBeLessThan(1)
  expect(trial.labels).toBeGreaterThan(0.5)
  expect(trial).toMatchObject({
    reward: 1,
    order: 1,
    right: 1,
    precision: { share: 1 },
    recall: { share: 1 },
  })
  expect(trial.recall.total).toBe(Math.round(40 * (1 - trial.labels)))
  expect(trial.calibrationError).toBeCloseTo(0, 9)
})

test('nothing reversed: labels are right, and what the reward alone gets wrong is counted, a tie half', () => {
  const rewards = sure.map((pair, i) => (i === 39 ? [30, -30] : i === 38 ? [0, 0] : pair))
  const trial = tryNoise(believed(rewards), { level: 0, doubles: 0, seed: 1 })
  expect(trial.labels).toBe(1)
  expect(trial.reward).toBeCloseTo(38.5 / 40, 12)
  // The scorer that is sure and wrong beats one label.
  expect(trial.order).toBeCloseTo(39 / 40, 12)
  expect(trial.precision).toMatchObject({ count: 0, total: 1 })
  expect(trial.recall.share).toBeNull()
})

test('second labels are given to as many pairs as asked, and the same seed gives the same trial', () => {
  const settings = { level: 0.25, doubles: 40, seed: 3 }
  const trial = tryNoise(believed(examples.map(() => [0, 0])), settings)
  expect(tryNoise(believed(examples.map(() => [0, 0])), settings)).toEqual(trial)
  // Without a reward the second label of each pair makes it sure (0.94) or a tie: contrasted are those that agree.
  expect(trial.contrasted.count).toBeGreaterThan(15)
  expect(trial.contrasted.count).toBeLessThan(40)
  expect(trial.believed).toBeCloseTo(0.8 ** 2 / (0.8 ** 2 + 0.2 ** 2), 12)
})
