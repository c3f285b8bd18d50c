import { expect, test } from 'vitest'
import { clhaLoss } from '../../src/losses/clha.js'
import { defaultOptions, lossLists, rankedLists } from './default-lists.js'
import { runLoss } from './lists.js'

test('the documented vector, to the digits that are printed with it', () => {
  const options = {
    T: 2,
    e: 0.25,
    margin: 1,
    sft_weight: 1,
    level: 0,
    min_confidence: 0.8,
    ...({ pair_weight: 'soft', label_source: 'posterior', margin_scale: 'constant' } as const),
  }
  const lists = [
    { S: [-12, -18], c: [10, 12], r: [4.581, -0.612], human: [[0, 1]] },
    { S: [-9, -10], c: [10, 10], r: [1, 0.2], human: [[1, 0]] },
    { S: [-12, -18, -24], c: [10, 12, 10], r: [4.581, -0.612, 2.39], human: [[0, 1]] },
  ]
  const found = runLoss(
    (s, l) => clhaLoss(s, l, defaultOptions({ options })),
    lists.map((l) => l.S),
    lists.map((l) => l.c),
    lossLists(rankedLists({ options, lists })),
  )
  expect(found.parts.rank_loss).toBeCloseTo(1.00039129, 9)
  expect(found.parts.sft_loss).toBeCloseTo(1.155152093, 9)
  expect(found.total).toBeCloseTo(2.155543383, 9)
  const gradient = [-0.07627172, 0.031236414, 0, -0.022423953, -0.07627172, 0.05209692, -0.025032607]
  expect(found.gradient).toEqual(gradient.map((x) => expect.closeTo(x, 8)))
})
