import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { packStep, type TrainItem } from '../../src/train/loop/items.js'
import { evaluateStep } from '../../src/train/loop/step.js'
import { answer, encoded } from '../helpers/encoded.js'
import { temporaryFolder } from '../helpers/folders.js'
import { CLHA, OBJECTIVES, run, training } from './tiny.js'

/** Prompts of their own, each with answers of the given lengths. */
function lists(count: number, lengths: readonly number[], seed: string): TrainItem[] {
  const random = createRandom(seed)
  const ids = (n: number) => Array.from({ length: n }, () => 3 + random.int(60))
  return Array.from({ length: count }, (_, i) => ({
    encoded: encoded(
      `${i}`,
      [3 + i, ...ids(3)],
      lengths.map((n) => answer([...ids(n), 2])),
    ),
    pairs: [],
    sft: { index: 0, weight: 1 },
    labels: [],
  }))
}

test('SFT learns eight answers by heart: more than 95 % of their tokens', async () => {
  const items = lists(8, [6], 'heart')
  const t = training(temporaryFolder(), OBJECTIVES.sft, {
    totalSteps: 80,
    batchSize: 8,
    learningRate: 1e-2,
    maxTokens: 400,
  })
  await run({ ...t, items })
  const plan = packStep(items, { maxTokens: 400, lastToken: false })
  expect(evaluateStep(t.trainable, plan).mean_token_accuracy).toBeGreaterThan(0.95)
})

test('a reward model learns what makes an answer good, and is right on more than 90 % of pairs it never saw', async () => {
  const random = createRandom('separable')
  const GOOD = 7
  const items = Array.from({ length: 80 }, (_, i) => {
    const words = () => Array.from({ length: 5 }, () => 10 + random.int(50))
    const good = words()
    good[random.int(5)] = GOOD
    const answers = [answer([...good, 2]), answer([...words(), 2])]
    return {
      encoded: encoded(`${i}`, [4, 10 + random.int(50)], answers),
      pairs: [{ better: 0, worse: 1, distance: 1, weight: 1 }],
      sft: { index: 0, weight: 1 },
      labels: [],
    }
  })
  const t = training(temporaryFolder(), OBJECTIVES.reward, {
    totalSteps: 60,
    batchSize: 20,
    learningRate: 1e-2,
    maxTokens: 600,
  })
  await run({ ...t, items: items.slice(0, 60) })
  const unseen = packStep(items.slice(60), { maxTokens: 600, lastToken: true })
  expect(evaluateStep(t.trainable, unseen).accuracy).toBeGreaterThan(0.9)
})

test('CLHA widens the margin of contrasted pairs, and the gradient of a masked pair is none', async () => {
  const items = lists(6, [4, 4, 4], 'margins').map((item) => ({
    ...item,
    pairs: [
      { better: 0, worse: 1, distance: 1, weight: 1 },
      { better: 0, worse: 2, distance: 2, weight: 0 },
    ],
  }))
  const measure = (t: ReturnType<typeof training>) => {
    const margin = (worse: number) => {
      const pairs = [{ better: 0, worse, distance: 1, weight: 1 }]
      const plan = packStep(
        items.map((item) => ({ ...item, pairs })),
        { maxTokens: 400, lastToken: false },
      )
      return evaluateStep(t.trainable, plan)['rewards/margins']
    }
    return [margin(1), margin(2)]
  }
  const t = training(temporaryFolder(), CLHA, {
    totalSteps: 40,
    batchSize: 6,
    learningRate: 5e-3,
    maxTokens: 400,
  })
  const [before] = measure(t)
  const { weights } = await run({ ...t, items })
  const [after] = measure(t)
  expect(after).toBeGreaterThan(before + 0.8)
  // With the masked answer exchanged for another one nothing changes: it takes no part.
  const swapped = items.map((item, i) => {
    const { answers } = item.encoded
    const other = answer([...answers[2].ids].map((id, t) => (t < 3 ? 3 + ((id + i) % 60) : id)))
    return { ...item, encoded: { ...item.encoded, answers: [answers[0], answers[1], other] } }
  })
  const again = training(temporaryFolder(), CLHA, {
    totalSteps: 40,
    batchSize: 6,
    learningRate: 5e-3,
    maxTokens: 400,
  })
  const other = await run({ ...again, items: swapped })
  expect(other.weights.equals(weights)).toBe(true)
})
