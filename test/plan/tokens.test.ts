import { expect, test } from 'vitest'
import { stepIndices } from '../../src/data/encode/order.js'
import { packLists } from '../../src/data/encode/pack.js'
import { microBatches, plannedSteps, sizeOf, tokenFigures } from '../../src/plan/tokens.js'
import { createRandom } from '../../src/random.js'
import { answer, encoded, randomList } from '../helpers/encoded.js'

test('the size of a list, by hand: prompt of 3, answers of 2 and 4 tokens of which the last is no input', () => {
  const list = encoded('a', [5, 6, 7], [answer([8, 9]), answer([10, 11, 12, 13], 1)])
  // Stream 3 + 1 + 3; scored 2 + 3. Keys: 1+2+3, then 4, then 4+5+6.
  expect(sizeOf(list, false)).toEqual({ tokens: 7, scored: 5, keys: 6 + 4 + 15 })
  // A reward model reads every token, and one row of each answer.
  expect(sizeOf(list, true)).toEqual({ tokens: 9, scored: 2, keys: 6 + 9 + 22 })
  const figures = tokenFigures([list], false, 1)
  expect(figures).toMatchObject({
    lists: 1,
    tokens: 7,
    scored: 5,
    padded: 14,
    unshared: 12,
    stepsPerEpoch: 1,
  })
})

test('micro-batches are those that the training packs, step by step', () => {
  const random = createRandom('plan tokens')
  const lists = Array.from({ length: 23 }, (_, i) => randomList(random, `${i}`, 1 + random.int(4), 90))
  for (const maxTokens of [1, 30, 80, 10_000]) {
    for (const lastToken of [false, true]) {
      const sizes = lists.map((l) => sizeOf(l, lastToken))
      const packing = { batchSize: 5, totalSteps: 9, seed: 3, maxTokens }
      for (const { step, micro } of plannedSteps(sizes, packing)) {
        const { indices } = stepIndices(lists.length, 5, 3, step)
        const packed = packLists(
          Array.from(indices, (i) => lists[i]),
          { maxTokens, lastToken },
        )
        expect(micro.map((m) => m.tokens)).toEqual(packed.map((b) => b.tokens.length))
        if (!lastToken) expect(micro.map((m) => m.scored)).toEqual(packed.map((b) => b.targets.length))
      }
    }
  }
  expect(microBatches([], 10)).toEqual([])
})
