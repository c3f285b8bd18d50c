/** Reward models from sizes alone, and what a run says at its end. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readHfConfig } from '../../src/models/folders/load-model.js'
import { resolveModelFolder } from '../../src/models/folders/model-folder.js'
import { badInputFolder, call, put } from '../cli/bad-input-helpers.js'

const files = badInputFolder()
const SIZES = '{hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 1}'
const train = (...flags: string[]) => [
  ...['reward', 'train', '--train-dataset', files.data, '--dev-fraction', '0', '--folds', '1'],
  ...['--max-length', '64', '--threads', '1', '--output-dir', '$out', ...flags],
]

test('reward_model_config alone makes a reward model of those sizes, which scores', async () => {
  const { code, out, complaint } = await call(
    files,
    train('--reward-model-config', SIZES, '--tokenizer-name-or-path', files.model),
  )
  expect([code, complaint]).toEqual([0, ''])
  expect(readHfConfig(resolveModelFolder(out))).toMatchObject({
    architectures: ['LlamaForSequenceClassification'],
    num_labels: 1,
    hidden_size: 8,
  })
  const scored = await call(files, [
    'reward',
    'score',
    files.data,
    '--reward-model',
    out,
    '--max-length',
    '64',
    '--threads',
    '1',
    '--output-file',
    join(out, 'scores.jsonl'),
  ])
  expect(scored.code).toBe(0)
})

test('reward_model_config replaces the start model, whose tokenizer is used', async () => {
  const { code, out } = await call(
    files,
    train('--reward-model-config', SIZES, '--model-name-or-path', files.model),
  )
  expect(code).toBe(0)
  expect(readHfConfig(resolveModelFolder(out)).hidden_size).toBe(8)
})

test('a context shorter than max_length is used, and that is said once', async () => {
  const argv = train('--model-name-or-path', files.model, '--max-length', '500')
  const { code, said } = await call(files, argv)
  expect(code).toBe(0)
  expect(
    said.match(/max_length 500 is more than the model's context of 128 tokens; 128 is used/g),
  ).toHaveLength(1)
})

test('a cap on the steps ends each training, whatever the epochs would be', async () => {
  const argv = train('--model-name-or-path', files.model, '--per-device-train-batch-size', '2')
  const { code, said } = await call(files, [...argv, '--max-steps', '3', '--json'])
  expect(code).toBe(0)
  const lines = said.trim().split('\n')
  expect(JSON.parse(lines[lines.length - 1]).result.steps).toBe(3)
  // Without it: the 7 or 8 pairs that are trained on, two a step.
  const whole = await call(files, [...argv, '--json'])
  expect(JSON.parse(whole.said.trim().split('\n').at(-1) as string).result.steps).toBe(4)
})

test('several folds train on all prompts but their own, and refuse development data that nobody would look at', async () => {
  const folds = (...first: string[]) => [
    ...['reward', 'train', ...first, '--folds', '2', '--model-name-or-path', files.model],
    ...['--max-length', '64', '--threads', '1', '--output-dir', '$out'],
  ]
  for (const [flag, value] of [
    ['--eval-dataset', files.data],
    ['--dev-fraction', '0.5'],
  ]) {
    const { code, complaint } = await call(files, [...folds(), '--train-dataset', files.data, flag, value])
    expect(code).toBe(2)
    expect(complaint).toMatch(/(eval_dataset|dev_fraction) has no effect: of 2 folds/)
  }
  const shared = put(files, 'shared.yaml', `train_dataset: ${files.data}\ndev_fraction: 0.5\n`)
  const { code, said, complaint } = await call(files, folds(shared))
  expect(code).toBe(0)
  expect(said + complaint).toContain('no effect here: dev_fraction')
  const measured = [...said.matchAll(/of (\d+) held-out/g)].map(([, pairs]) => Number(pairs))
  expect(measured).toHaveLength(2)
  expect(measured[0] + measured[1]).toBe(8)
})
