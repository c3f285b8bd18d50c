/** Options of a config as a training takes them. Figures by hand. */
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/load-config.js'
import { type Fit, loopOptions, optimizerOptions, totalStepsOf } from '../../src/stations/fit/fit-options.js'

const options = (yaml: string) => parseConfig('test', `train_dataset: x.jsonl\n${yaml}`, {}).options

const fitOf = (values: Partial<Fit> = {}) =>
  ({
    items: new Array(10).fill({}),
    devItems: [],
    batchSize: 4,
    epochs: 2,
    learningRate: 0.5,
    stage: false,
    objective: { name: 'clha', lastToken: false },
    ...values,
  }) as unknown as Fit

test('the length is epochs times steps, unless max_steps says it; never nothing', () => {
  expect(totalStepsOf(fitOf())).toBe(6)
  expect(totalStepsOf(fitOf({ epochs: 0.5 }))).toBe(2)
  expect(totalStepsOf(fitOf({ epochs: 0.01 }))).toBe(1)
  expect(totalStepsOf(fitOf({ maxSteps: 99 }))).toBe(99)
})

test('warm-up is a share of the steps, rounded up, unless its steps are given', () => {
  const lengthOf = (yaml: string) => loopOptions(options(yaml), fitOf()).schedule.warmupSteps
  expect(lengthOf('lr_scheduler_type: cosine\nwarmup_ratio: 0.2')).toBe(2)
  expect(lengthOf('lr_scheduler_type: cosine\nwarmup_steps: 5')).toBe(5)
})

test('a stage of a larger pipeline chooses by its loss and never stops early', () => {
  const chosen = options(
    'metric_for_best_model: eval_rewards/accuracies\nearly_stopping_patience: 3\ndev_fraction: 0.1',
  )
  expect(loopOptions(chosen, fitOf())).toMatchObject({
    metricForBestModel: 'eval_rewards/accuracies',
    greaterIsBetter: true,
    earlyStoppingPatience: 3,
  })
  expect(loopOptions(chosen, fitOf({ stage: true }))).toMatchObject({
    metricForBestModel: 'eval_loss',
    greaterIsBetter: false,
    earlyStoppingPatience: undefined,
  })
})

test("the paper's denominators and weight decay are for an objective of its code alone", () => {
  const legacy = options('mode: legacy')
  const own = fitOf({ objective: { name: 'clha', lastToken: false, legacy: true } as Fit['objective'] })
  expect(loopOptions(legacy, own).legacyGroupSize).toBe(2)
  expect(optimizerOptions(legacy, own)).toMatchObject({ decayOn: 'all', weightDecay: 0.01 })
  const reward = fitOf({ objective: { name: 'reward', lastToken: true } as Fit['objective'] })
  expect(loopOptions(legacy, reward).legacyGroupSize).toBeUndefined()
  expect(optimizerOptions(legacy, reward)).toMatchObject({ decayOn: 'matrices' })
  expect(optimizerOptions(options('optim: sgd\nsgd_momentum: 0.9'), fitOf())).toMatchObject({
    name: 'sgd',
    momentum: 0.9,
  })
})
