import { expect, test } from 'vitest'
import { listTokens, packLists, paddedTokens, valuesByList } from '../../src/data/encode/pack.js'
import { createRandom } from '../../src/random.js'
import { answer, encoded, randomList } from '../helpers/encoded.js'

const two = [
  encoded('a', [10, 11], [answer([20, 21, 22]), answer([30])]),
  encoded('b', [12], [answer([40, 41, 42], 1)]),
]
const plain = (x: Int32Array) => Array.from(x)

test('two lists by hand, for a language model: the last token of an answer predicts nothing and is left out', () => {
  const [batch, ...more] = packLists(two, { maxTokens: 100, lastToken: false })
  expect(more).toEqual([])
  expect(plain(batch.tokens)).toEqual([10, 11, 20, 21, 12, 40, 41])
  expect(plain(batch.positions)).toEqual([0, 1, 2, 3, 0, 1, 2])
  expect(batch.segments).toEqual([
    { start: 0, end: 2, contextStart: 0, contextEnd: 0, list: 0 },
    { start: 2, end: 4, contextStart: 0, contextEnd: 2, list: 0 },
    { start: 4, end: 5, contextStart: 4, contextEnd: 4, list: 1 },
    { start: 5, end: 7, contextStart: 4, contextEnd: 5, list: 1 },
  ])
  // the first token of an answer is predicted from the prompt's last row, unscored context from nowhere
  expect(plain(batch.rows)).toEqual([1, 2, 3, 1, 5, 6])
  expect(plain(batch.targets)).toEqual([20, 21, 22, 30, 41, 42])
  expect(plain(batch.owners)).toEqual([0, 0, 0, 1, 2, 2])
  expect(batch.counts).toEqual([3, 1, 2])
  expect(batch.offsets).toEqual([0, 2, 3])
  expect(batch.places).toEqual([0, 1])
})

test('values come back by list, in the order of its answers', () => {
  const [batch] = packLists(two, { maxTokens: 100, lastToken: false })
  expect(valuesByList(batch, [-3, -1, -2])).toEqual([
    [0, [-3, -1]],
    [1, [-2]],
  ])
})

test('the same lists for a reward: the last token stays, and its row is known', () => {
  const [batch] = packLists(two, { maxTokens: 100, lastToken: true })
  expect(plain(batch.tokens)).toEqual([10, 11, 20, 21, 22, 30, 12, 40, 41, 42])
  expect(plain(batch.positions)).toEqual([0, 1, 2, 3, 4, 2, 0, 1, 2, 3])
  expect(plain(batch.lastRows)).toEqual([4, 5, 9])
  expect(batch.segments.map((s) => [s.start, s.end])).toEqual([
    [0, 2],
    [2, 5],
    [5, 6],
    [6, 7],
    [7, 10],
  ])
  expect(plain(batch.rows)).toEqual([1, 2, 3, 1, 7, 8])
})

test('token counts', () => {
  expect(two.map((list) => listTokens(list, false))).toEqual([4, 3])
  expect(two.map((list) => listTokens(list, true))).toEqual([6, 4])
  expect(two.map(paddedTokens)).toEqual([10, 4])
  expect(listTokens(encoded('empty', [1, 2], [answer([]), answer([5])]), false)).toBe(2)
})

test('every list is in exactly one micro-batch, in order, and none is over the limit unless it is alone', () => {
  const random = createRandom('packs')
  for (let round = 0; round < 30; round++) {
    const lists = Array.from({ length: 1 + random.int(20) }, (_, i) =>
      randomList(random, `${i}`, 1 + random.int(6), 50),
    )
    const lastToken = random.int(2) === 1
    const maxTokens = 1 + random.int(150)
    const batches = packLists(lists, { maxTokens, lastToken })
    expect(batches.flatMap((b) => b.places)).toEqual(lists.map((_, i) => i))
    for (const batch of batches) {
      const sizes = batch.places.map((i) => listTokens(lists[i], lastToken))
      const size = sizes.reduce((a, b) => a + b, 0)
      expect(batch.tokens.length).toBe(size)
      expect(batch.positions.length).toBe(size)
      if (batch.places.length > 1) expect(size).toBeLessThanOrEqual(maxTokens)
      const scored = batch.places.flatMap((i) => lists[i].answers.map((a) => a.ids.length - a.scoredFrom))
      expect(batch.counts).toEqual(scored)
      expect(batch.rows.length).toBe(scored.reduce((a, b) => a + b, 0))
      const answers = batch.places.map((i) => lists[i].answers.length)
      expect(batch.offsets.slice(1).map((end, i) => end - batch.offsets[i])).toEqual(answers)
      expect(batch.offsets[0]).toBe(0)
      expect(batch.segments.reduce((at, s) => (s.start === at ? s.end : -1), 0)).toBe(size)
      if (!lastToken) continue
      const last = batch.places.flatMap((i) => lists[i].answers.map((a) => a.ids.at(-1)))
      expect(Array.from(batch.lastRows, (row) => batch.tokens[row])).toEqual(last)
    }
  }
})

test('the row that scores a token holds the token before it', () => {
  const random = createRandom('rows')
  const lists = Array.from({ length: 10 }, (_, i) => randomList(random, `${i}`, 1 + random.int(6), 500))
  for (const batch of packLists(lists, { maxTokens: 80, lastToken: false })) {
    let at = 0
    for (const i of batch.places) {
      const { promptIds, answers } = lists[i]
      for (const { ids, scoredFrom } of answers) {
        const all = [...promptIds, ...ids]
        for (let t = scoredFrom; t < ids.length; t++, at++) {
          expect(batch.targets[at]).toBe(ids[t])
          expect(batch.tokens[batch.rows[at]]).toBe(all[promptIds.length + t - 1])
          expect(batch.positions[batch.rows[at]]).toBe(promptIds.length + t - 1)
        }
      }
    }
    expect(at).toBe(batch.rows.length)
  }
})

test('a list longer than the limit is a micro-batch of its own; no lists make none; an empty prompt is refused', () => {
  const batches = packLists([two[0], two[0], two[1]], { maxTokens: 3, lastToken: false })
  expect(batches.map((b) => b.places)).toEqual([[0], [1], [2]])
  expect(packLists([], { maxTokens: 3, lastToken: false })).toEqual([])
  const bare = encoded('bare', [], [answer([1, 2])])
  expect(() => packLists([bare], { maxTokens: 9, lastToken: false })).toThrow('bare: an empty prompt')
})
