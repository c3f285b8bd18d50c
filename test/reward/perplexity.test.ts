/** A language model as the scorer: the mean log-probability of an answer is its reward. */
import { expect, test } from 'vitest'
import { loadScoringModel } from '../../src/load/scoring-model.js'
import { perplexityScorer } from '../../src/models/decoder/reward-scorer.js'
import { scoreExamples } from '../../src/reward/model-scorer.js'
import { referenceLogProbs } from '../../src/train/loop/reference.js'
import { writeFiles } from '../commands/eval-folder.js'
import { relative } from '../helpers/numbers.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { randomItems, tinyModel } from '../train/tiny.js'

test('is the sum under a reference divided by the scored tokens, however it is packed', async () => {
  const model = tinyModel('lm', 1, 'f64')
  const encoded = randomItems(5, 'perplexity').map((item) => item.encoded)
  const sums = (await referenceLogProbs(model, encoded, { maxTokens: 1e6 })) as number[][]
  const expected = encoded.flatMap(({ answers }, i) =>
    answers.map(({ ids, scoredFrom }, k) => sums[i][k] / (ids.length - scoredFrom)),
  )
  for (const maxTokens of [1, 1e6]) {
    const { rewards } = await scoreExamples(perplexityScorer(model), encoded, { maxTokens })
    expect(relative(rewards.flat(), expected)).toBeLessThan(1e-12)
  }
  model.dispose()
})

test('a reward model has none', async () => {
  const { model, reward } = await writeFiles(tempFolder('perplexity'))
  const scorer = await loadScoringModel(model, { dtype: 'f32', format: 'perplexity' })
  expect(scorer.template.name).toBeTypeOf('string')
  scorer.model.dispose()
  await expect(loadScoringModel(reward, { dtype: 'f32', format: 'perplexity' })).rejects.toThrow(
    'a reward model has no perplexity',
  )
})
