/** Scores of encoded lists, from a decoder with shared prompts and from an encoder without. */
import { expect, test } from 'vitest'
import { unshared } from '../../src/data/encode/unshared.js'
import { loadRewardScorer } from '../../src/models/folders/load-reward.js'
import { scoreExamples } from '../../src/reward/model-scorer.js'
import { fixture } from '../fixtures.js'
import { list } from '../helpers/encoded.js'

const LISTS = [
  list('a', [5, 6, 7], [8, 9], [10, 11, 12]),
  list('b', [20], [21, 22, 23]),
  list('c', [5, 6], [7, 8, 9]),
]

test.each(['rm_llama', 'rm_deberta_v3'])(
  '%s: no score depends on neighbours or on the batch',
  async (name) => {
    const scorer = loadRewardScorer(fixture(`models/${name}`))
    const { rewards } = await scoreExamples(scorer, LISTS, { maxTokens: 4096 })
    const small = await scoreExamples(scorer, LISTS, { maxTokens: 4 })
    rewards.flat().forEach((reward, i) => {
      expect(small.rewards.flat()[i]).toBeCloseTo(reward, 5)
    })
    // The same tokens, split elsewhere into prompt and answer, are the same text to the model.
    expect(rewards[2][0]).toBeCloseTo(rewards[0][0], 5)
    scorer.dispose()
  },
)

test('nothing is shared where the model reads in both directions: each answer brings its prompt', () => {
  const { promptIds, answers } = unshared(LISTS[0])
  expect(promptIds.length).toBe(0)
  expect(answers.map(({ ids }) => [...ids])).toEqual([
    [5, 6, 7, 8, 9],
    [5, 6, 7, 10, 11, 12],
  ])
  expect(answers.map((a) => a.scoredFrom)).toEqual([4, 4])
})

test('a language model is no scorer', () => {
  expect(() => loadRewardScorer(fixture('models/llama_gqa'))).toThrow(/a language model, not a reward model/)
})
