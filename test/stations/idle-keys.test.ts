/** Keys that a training would not read: as flags they are refused, in a config file they are named. */
import * as fs from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { badInputFolder, call, put, refused } from '../cli/bad-input-helpers.js'

const files = badInputFolder()
let ranked: string
beforeAll(async () => {
  const scale = ['--reward-temperature', '1', '--label-error', '0.2', '--min-confidence', '0.5']
  const { code, out } = await call(files, [
    ...['rescore', files.data, '--reward-model', files.reward, ...scale, '--threads', '1'],
    ...['--output-dir', '$out'],
  ])
  expect(code).toBe(0)
  ranked = `${out}/rescored.jsonl`
})

const training = (data: string, ...more: string[]) => [
  ...['--model-name-or-path', files.model, '--train-dataset', data, '--max-steps', '1', '--threads', '1'],
  ...['--dev-fraction', '0', '--test-fraction', '0', '--output-dir', '$out', ...more],
]

describe.each([['train'], ['plan', '--device', 'h100']])('clha %s', (...command) => {
  test('refuses flags that a rescored file leaves without effect', async () => {
    const flags = {
      'label-source': 'human',
      'pair-weight': 'hard',
      'min-confidence': '0.95',
      'sft-gate': 'off',
      'label-error': '0.2',
      'reward-temperature': '3',
      relabels: '10',
      'reward-model': 'start0',
      'dataset-format': 'kto',
      columns: '{prompt: q}',
      splitter: 'legacy',
    }
    const given = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
    const said = Object.keys(flags).map((name) => `--${name}  ${name.replaceAll('-', '_')} has no effect: a`)
    await refused(files, [...command, ...training(ranked, ...given)], [...said, 'rescore again'])
    const column = training(ranked, '--reward-column', 'x', '--gate-quantile', '0.3')
    await refused(files, [...command, ...column], ['--reward-column  ', '--gate-quantile  '])
  })

  test.each([
    [['--reward-model', 'nowhere'], /reward_model has no effect: label_source: human .*\n.*posterior/],
    [['--reward-function', 'nope.mjs'], 'reward_function has no effect: label_source: human'],
    [['--reward-endpoint', 'http://127.0.0.1:9/score'], 'reward_endpoint has no effect: label_source: human'],
    [['--reward-column', 'score'], 'reward_column has no effect: label_source: human'],
    [['--label-error', '0.2'], 'label_error has no effect: pair_weight: hard'],
    [['--method', 'coh', '--reward-model', 'x'], 'reward_model has no effect: label_source: human'],
    [
      ['--method', 'sft', '--reward-model', 'x'],
      /reward_model has no effect: method: sft .*\n.*sft_target: b/,
    ],
    [['--stop', 'x'], /stop has no effect: no answers .*\n.*set eval_generation_steps/],
    [['--eval-batch-size', '3'], 'eval_batch_size has no effect'],
    [['--max-new-tokens', '10'], 'max_new_tokens has no effect'],
  ])('refuses %j where labels alone order the answers', async (flags, said) => {
    await refused(files, [...command, ...training(files.data, '--method', 'dpo', ...flags)], [said])
  })
})

test('keys of a file, which may be for other commands, are named in one line', async () => {
  const yaml = ['reward_model: nowhere', 'method: dpo', 'label_source: human', 'max_new_tokens: 10']
  const config = put(files, 'shared.yaml', `${yaml.join('\n')}\n`)
  const { code, said } = await call(files, ['train', config, ...training(files.data)])
  expect(code).toBe(0)
  expect(said.match(/no effect here: .*/g)).toEqual([
    'no effect here: reward_model (label_source: human orders the answers by the labels alone)',
  ])
  const other = put(
    files,
    'rescoring.yaml',
    'min_confidence: 0.9\nreward_temperature: 2\nlabel_source: auto\n',
  )
  const again = await call(files, ['train', other, ...training(ranked)])
  expect([again.code, again.complaint]).toEqual([0, ''])
  expect(again.said).toMatch(/: min_confidence, reward_temperature \(a rescored file brings/)
})

test('what acts is taken: rewards of generated answers, errors that weigh pairs', async () => {
  const watched = ['--dev-fraction', '0.3', '--eval-generation-steps', '1', '--reward-model', files.reward]
  const flags = ['--max-length', '64', '--max-new-tokens', '4', ...watched]
  const { out, code } = await call(files, ['train', ...training(files.data, '--method', 'dpo', ...flags)])
  expect(code).toBe(0)
  expect(fs.readFileSync(`${out}/metrics.jsonl`, 'utf8')).toContain('eval_generated/reward')
  const soft = ['--pair-weight', 'soft', '--label-error', '0.2']
  expect((await call(files, ['train', ...training(files.data, '--method', 'dpo', ...soft)])).code).toBe(0)
})

test('max_samples takes the first lists of a rescored file', async () => {
  const { code, said } = await call(files, ['train', ...training(ranked, '--max-samples', '3')])
  expect([code, said.match(/\d+ lists/)?.[0]]).toEqual([0, '3 lists'])
})
