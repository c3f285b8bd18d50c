/** Probes in place of trained reward models: made, scored with, gone on with, and refused where nothing could come of it. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { badInputFolder, call, put, refused } from '../cli/bad-input-helpers.js'

const files = badInputFolder()
const train = (...flags: string[]) => [
  ...['reward', 'train', '--train-dataset', files.data, '--reward-probe', '--max-length', '64'],
  ...['--threads', '1', '--output-dir', '$out', ...flags],
]
const onModel = (...flags: string[]) => train('--model-name-or-path', files.model, ...flags)
const score = (probe: string, output: string) => [
  ...['reward', 'score', files.data, '--reward-model', probe, '--max-length', '64'],
  ...['--threads', '1', '--output-file', output],
]

test('one probe lies in the output folder, names the model that it reads, and scores the data', async () => {
  const { code, out, said } = await call(files, onModel('--folds', '1', '--dev-fraction', '0'))
  expect(code).toBe(0)
  expect(said).toMatch(/reward model: a probe of 1 of 1 layers, fitted to 8 pairs · prior ±/)
  expect(JSON.parse(fs.readFileSync(join(out, 'reward_probe.json'), 'utf8'))).toMatchObject({
    base_model_name_or_path: files.model,
    layers: 1,
    pairs: 8,
  })
  expect(JSON.parse(fs.readFileSync(join(out, 'run.json'), 'utf8')).status).toBe('done')
  // Nothing of the model itself is there.
  const bytes = fs.readdirSync(out).filter((name) => name.endsWith('.safetensors'))
  expect(bytes).toEqual(['reward_probe.safetensors'])
  const scores = join(out, 'scores.jsonl')
  const scored = await call(files, score(out, scores))
  expect(scored.code).toBe(0)
  const rows = fs.readFileSync(scores, 'utf8').trim().split('\n')
  const right = rows.map((row) => JSON.parse(row)).filter((row) => row.score_chosen > row.score_rejected)
  // It was fitted to these very pairs.
  expect(right.length).toBeGreaterThanOrEqual(7)
})

test('of two folds each probe is measured on the prompts of its own, and the same command makes the same again', async () => {
  const first = await call(files, onModel('--dev-fraction', '0'))
  expect(first.code).toBe(0)
  const measured = [...first.said.matchAll(/fold \d: right on .* of (\d+) held-out/g)].map((m) =>
    Number(m[1]),
  )
  expect(measured.reduce((sum, n) => sum + n, 0)).toBe(8)
  const weights = () =>
    [0, 1].map((fold) => fs.readFileSync(join(first.out, `fold-${fold}`, 'reward_probe.safetensors')))
  const before = weights()
  const argv = onModel('--dev-fraction', '0').map((arg) => (arg === '$out' ? first.out : arg))
  expect((await call(files, argv)).code).toBe(2)
  const goOn = () => call(files, [...argv, '--resume-from-checkpoint', 'true'])
  const again = await goOn()
  expect(again.said).toMatch(/fold 1: was done/)
  expect(again.said.match(/right on .*held-out human labels/g)).toEqual(
    first.said.match(/right on .*held-out human labels/g),
  )
  // One that is missing is made anew, to the same numbers.
  fs.rmSync(join(first.out, 'fold-1', 'reward_probe.json'))
  expect((await goOn()).said).toMatch(/fold 1: a probe/)
  expect(weights()).toEqual(before)
})

test('align makes its reward models so, and scores and judges with them', async () => {
  const config = put(
    files,
    'probe.yaml',
    `train_dataset: ${files.data}
model_name_or_path: ${files.model}
reward_probe: true
sft_num_train_epochs: 0
dev_fraction: 0
test_fraction: 0.25
max_length: 64
max_new_tokens: 4
label_error: 0.1
reward_temperature: 1
threads: 1
per_device_train_batch_size: 2
num_train_epochs: 1
`,
  )
  const { code, out, said, complaint } = await call(files, ['align', config, '--output-dir', '$out'])
  expect([code, complaint]).toEqual([0, ''])
  expect(said).toMatch(/second reward model, to judge: a probe/)
  expect(said).toMatch(/fold 1: right on/)
  for (const name of ['reward-fold-0', 'reward-fold-1', 'reward-second'])
    expect(fs.existsSync(join(out, name, 'reward_probe.json'))).toBe(true)
  expect(fs.readFileSync(join(out, 'report.html'), 'utf8')).toContain('reward')
  const again = await call(files, ['align', config, '--output-dir', out, '--resume-from-checkpoint', 'true'])
  expect([again.code, again.complaint]).toEqual([0, ''])
  const steps = await call(files, ['align', config, '--output-dir', '$out', '--reward-learning-rate', '1e-4'])
  expect(steps.code).toBe(2)
  expect(steps.complaint).toMatch(/reward_learning_rate.*reward_probe fits the reward model at once/)
})

test('what has no effect on a probe, and what a probe has nothing to read of, is refused', async () => {
  await refused(files, onModel('--learning-rate', '1e-4'), [
    /reward_learning_rate/,
    /fits the reward model at once/,
  ])
  await refused(files, onModel('--optim', 'sgd'), [
    /optim has no effect: reward_probe/,
    /remove reward_probe/,
  ])
  await refused(files, onModel('--use-peft'), [/use_peft has no effect/])
  const sizes = '{hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 1}'
  await refused(files, train('--model-config', sizes, '--tokenizer-name-or-path', files.model), [
    /random weights know nothing that a probe could read/,
  ])
  await refused(files, onModel('--reward-model-config', sizes), [/reward_model_config/])
  const plan = ['plan', '--reward', '--train-dataset', files.data, '--model-name-or-path', files.model]
  const planned = await call(files, [...plan, '--reward-probe'])
  expect([planned.code, planned.complaint]).toEqual([2, expect.stringMatching(/no training to plan/)])
})

test('a probe is a reward model: it writes nothing, is trained no further, and is no adapter', async () => {
  const { out } = await call(files, onModel('--folds', '1', '--dev-fraction', '0'))
  const policy = ['train', '--method', 'sft', '--train-dataset', files.data, '--output-dir', '$out']
  await refused(files, [...policy, '--model-name-or-path', out], [/a reward model, not a language model/])
  await refused(files, train('--model-name-or-path', out), [
    /a probe, which scores but is not trained further/,
  ])
  const merged = await call(files, ['merge', '--model-name-or-path', out, '--export-dir', '$out'])
  expect([merged.code, merged.complaint]).toEqual([2, expect.stringMatching(/no adapter/)])
})
