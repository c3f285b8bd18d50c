import { expect, test } from 'vitest'
import { withFronts } from '../../src/methods/fronts.js'
import type { TrainItem } from '../../src/train/loop/items.js'

const answer = (tokens: number, scoredFrom = 1) => ({
  ids: Int32Array.from({ length: scoredFrom + tokens }, (_, i) => i),
  scoredFrom,
  truncated: false,
  ended: true,
})

const item: TrainItem = {
  encoded: {
    id: '1',
    source: '',
    promptIds: new Int32Array([9]),
    answers: [answer(5), answer(3), answer(5)],
    promptCut: 0,
  },
  pairs: [
    { better: 0, worse: 1, distance: 1, weight: 1 },
    { better: 1, worse: 2, distance: 1, weight: 1 },
    { better: 0, worse: 2, distance: 2, weight: 1 },
  ],
  sft: { index: 0, weight: 1 },
  labels: [],
}

test('the longer answer of a pair has a front as long as the shorter one; equal answers are their own', () => {
  const [{ encoded, pairs, sft }] = withFronts([item])
  expect(pairs.map(({ fronts }) => fronts)).toEqual([
    [3, 1],
    [1, 4],
    [0, 2],
  ])
  expect(encoded.answers.slice(0, 3)).toEqual(item.encoded.answers)
  expect(encoded.answers[3]).toEqual({ ...answer(3), ended: false })
  expect(encoded.answers).toHaveLength(5)
  expect(sft).toEqual(item.sft)
})
