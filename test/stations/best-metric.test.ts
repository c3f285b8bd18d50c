/** Which names `metric_for_best_model` may have is known before the first step. */
import { expect, test } from 'vitest'
import { requireBestMetric } from '../../src/stations/fit/best-metric.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { CLHA, randomItems, training } from '../train/tiny.js'

const items = randomItems(7, 'dev')
const uncontrasted = items.map((item) => ({ ...item, pairs: [] }))

const check = (metricForBestModel: string, devItems = items) => {
  const { trainable, loop } = training(temporaryFolder(), CLHA, { metricForBestModel })
  requireBestMetric(trainable, devItems, loop)
}

test('a name that evaluations log passes, with or without its eval_', () => {
  for (const name of ['eval_loss', 'eval_rewards/margins', 'rewards/accuracies', 'sft_loss']) check(name)
})

test('a name that shows in the last held-out lists only passes', () => {
  check('eval_rewards/margins', [...uncontrasted.slice(1), items[0]])
})

test('a typo is refused, with the name that is meant and all that there are', () => {
  const error = thrown(() => check('eval_rewards/marginz'))
  expect(error.exitCode).toBe(2)
  expect(error.message).toContain('no metric "eval_rewards/marginz". Did you mean "eval_rewards/margins"?')
  expect(error.hint).toContain('eval_rewards/accuracies')
})

test('a metric of pairs is refused where no held-out list has one', () => {
  expect(thrown(() => check('eval_rewards/margins', uncontrasted)).message).toContain('no metric')
})
