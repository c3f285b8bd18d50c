/** `clha plan` through the command line, beside the training that it speaks of. */
import * as fs from 'node:fs'
import { expect, test } from 'vitest'
import { badInputFolder, call, lines, put } from '../cli/bad-input-helpers.js'
import { pairs } from './eval-folder.js'

const files = badInputFolder()
const settings = () => [
  ...[
    '--train-dataset',
    files.data,
    '--model-name-or-path',
    files.model,
    '--max-length',
    '64',
    '--threads',
    '1',
  ],
  ...['--method', 'simpo', '--dev-fraction', '0', '--max-tokens-per-batch', '100', '--logging-steps', '1'],
  ...['--per-device-train-batch-size', '2', '--gradient-accumulation-steps', '1', '--max-steps', '3'],
]

interface Result {
  parameters: number
  trained: number
  steps: number
  tokens: number
  seconds: number
  fits: boolean
  memory: { peak: number }
}

const planOf = (said: string): Result => {
  const line = said.split('\n').findLast((text) => text.startsWith('{"result"')) as string
  return (JSON.parse(line) as { result: Result }).result
}

test('a plan counts the tokens that the training then counts, and leaves no folder', async () => {
  const out = ['--output-dir', '$out']
  const plan = await call(files, ['plan', ...settings(), ...out, '--device', 'h100', '--json'])
  expect([plan.code, plan.complaint.match(/error.*/i)?.[0]]).toEqual([0, undefined])
  const trained = await call(files, ['train', ...settings(), ...out, '--json'])
  expect(trained.code).toBe(0)
  const last = [...trained.said.matchAll(/"num_tokens":(\d+)/g)].at(-1)?.[1]
  expect(planOf(plan.said)).toMatchObject({ steps: 3, tokens: Number(last), fits: true })
  expect(trained.complaint + trained.said).toMatch(/plan {5}.* of memory at most/)
})

test('this machine is measured; an adapter trains fewer numbers', async () => {
  const [all, some, mixed] = [
    planOf((await call(files, ['plan', ...settings(), '--json'])).said),
    planOf((await call(files, ['plan', ...settings(), '--use-peft', '--lora-r', '2', '--json'])).said),
    planOf((await call(files, ['plan', ...settings(), '--bf16', '--json'])).said),
  ]
  expect(all.trained).toBe(all.parameters)
  expect(some.parameters).toBe(all.parameters)
  expect(some.trained).toBeLessThan(all.trained)
  expect(mixed.trained).toBe(all.trained)
  for (const { seconds, memory } of [all, some, mixed]) {
    expect(seconds).toBeGreaterThan(0)
    expect(memory.peak).toBeGreaterThan(1e8)
  }
}, 60_000)

test('a reward model is planned on the labelled rows, and takes the steps that its training then takes', async () => {
  const rows = pairs.map(({ prompt, chosen, rejected }, i) => ({
    prompt,
    completions: [chosen[0].content, rejected[0].content],
    ...(i % 2 === 0 && { ranks: [1, 2] }),
  }))
  const data = put(files, 'half.jsonl', lines(...rows))
  const argv = ['--train-dataset', data, '--model-name-or-path', files.model, '--max-length', '64']
  const small = ['--reward-per-device-train-batch-size', '2', '--dev-fraction', '0', '--test-fraction', '0']
  const flags = [...argv, ...small, '--folds', '1', '--threads', '1', '--output-dir', '$out', '--json']
  const plan = await call(files, ['plan', '--reward', '--device', '4090', ...flags])
  const trained = await call(files, ['reward', 'train', ...flags])
  expect([plan.code, trained.code]).toEqual([0, 0])
  expect([planOf(plan.said).steps, planOf(trained.said).steps]).toEqual([2, 2])
})

test('a reward model is planned too, and an unknown device is refused with the known ones', async () => {
  const reward = await call(files, [
    ...['plan', '--train-dataset', files.data, '--model-name-or-path', files.model, '--max-length', '64'],
    ...['--reward', '--device', '4090', '--json'],
  ])
  expect(reward.code).toBe(0)
  expect(planOf(reward.said).fits).toBe(true)
  const unknown = await call(files, ['plan', ...settings(), '--device', 'h1000'])
  expect(unknown.code).toBe(2)
  expect(unknown.complaint).toMatch(/h1000: not a known device[\s\S]*h100/)
  expect(fs.existsSync('runs/plan')).toBe(false)
})
