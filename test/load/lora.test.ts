/** Adapters through the commands: trained, resumed, used wherever a model is named, merged. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { resolveModelFolder } from '../../src/models/folders/model-folder.js'
import { badInputFolder, call, copyOf, refused } from '../cli/bad-input-helpers.js'

const files = badInputFolder()
const COMMON = ['--max-length', '64', '--threads', '1']
const LORA = [
  '--use-peft',
  '--lora-r',
  '4',
  '--learning-rate',
  '0.02',
  '--max-steps',
  '4',
  '--dev-fraction',
  '0',
]
const sft = (...flags: string[]) => [
  ...['train', '--train-dataset', files.data, '--method', 'sft', '--model-name-or-path', files.model],
  ...['--per-device-train-batch-size', '2', '--gradient-accumulation-steps', '1', '--output-dir', '$out'],
  ...COMMON,
  ...LORA,
  ...flags,
]
const ask = (...flags: string[]) => [
  ...[
    'generate',
    '--prompt',
    'Which colour has the sky?',
    '--max-new-tokens',
    '8',
    '--json',
    '--threads',
    '1',
  ],
  ...flags,
]

async function done(argv: string[]) {
  const result = await call(files, argv)
  expect([result.code, result.complaint.match(/error.*/i)?.[0]]).toEqual([0, undefined])
  return result
}

/** The last JSON line with answers. */
const answersOf = (said: string) => said.match(/"answer":"(?:[^"\\]|\\.)*"/g)

test('a run with use_peft leaves an adapter that generates, goes on training and merges; its base keeps every byte', async () => {
  const before = fs.readFileSync(join(files.model, 'model.safetensors'))
  const run = await done(sft())
  expect(run.said).toMatch(/rank 4 on 7 linear maps · [\d,]+ parameters are trained, the model's [\d,]+ stay/)
  const folder = resolveModelFolder(run.out)
  const config = JSON.parse(fs.readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
  expect(config).toMatchObject({
    base_model_name_or_path: files.model,
    r: 4,
    lora_alpha: 32,
    task_type: 'CAUSAL_LM',
  })
  const state = JSON.parse(fs.readFileSync(join(folder, 'training_state.json'), 'utf8'))
  expect(state.trajectory).toMatchObject({
    adapter: { r: 4 },
    base_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  })

  const tuned = answersOf((await done(ask('--model-name-or-path', run.out))).said)
  const named = ask('--model-name-or-path', files.model, '--adapter-name-or-path', folder)
  expect(answersOf((await done(named)).said)).toEqual(tuned)
  expect(answersOf((await done(ask('--model-name-or-path', files.model))).said)).not.toEqual(tuned)

  const merged = join(run.out, 'merged')
  const { said } = await done(['merge', '--model-name-or-path', run.out, '--export-dir', merged, '--json'])
  const result = said.split('\n').findLast((line) => line.includes('largest_difference')) as string
  const { largest_difference: largest, tokens } = { ...JSON.parse(result), ...JSON.parse(result).result }
  expect(largest).toBeLessThan(1e-3)
  expect(tokens).toBeGreaterThan(100)
  expect(answersOf((await done(ask('--model-name-or-path', merged))).said)).toEqual(tuned)
  await refused(files, ['merge', '--model-name-or-path', run.out, '--export-dir', merged], [/not empty/])

  await refused(files, sft('--adapter-name-or-path', folder), [/lora-r.*brings its own settings/])
  const next = await done(
    sft('--adapter-name-or-path', folder).filter((arg, i, all) => ![arg, all[i - 1]].includes('--lora-r')),
  )
  expect(resolveModelFolder(next.out)).toMatch(/checkpoint-4$/)
  expect(fs.readFileSync(join(files.model, 'model.safetensors')).equals(before)).toBe(true)
})

test('a stopped run goes on to the same bits; on another base it is refused', async () => {
  const whole = await done(sft('--save-steps', '2'))
  const file = (dir: string) => fs.readFileSync(join(dir, 'checkpoint-4', 'adapter_model.safetensors'))
  const expected = file(whole.out)
  fs.rmSync(join(whole.out, 'checkpoint-4'), { recursive: true })
  const resumed = sft('--save-steps', '2', '--resume-from-checkpoint', 'true').map((arg) =>
    arg === '$out' ? whole.out : arg,
  )
  await done(resumed)
  expect(file(whole.out).equals(expected)).toBe(true)
  fs.rmSync(join(whole.out, 'checkpoint-4'), { recursive: true })
  const swapped = resumed.map((arg) => (arg === files.model ? files.other : arg))
  const { code, complaint } = await call(files, swapped)
  expect(code).toBe(2)
  expect(complaint).toMatch(/base_sha256/)
})

test('a reward adapter is trained on the start model, scores like its merged model, and names its head', async () => {
  const run = await done([
    ...[
      'reward',
      'train',
      '--train-dataset',
      files.data,
      '--model-name-or-path',
      files.model,
      '--folds',
      '1',
    ],
    ...[
      '--use-peft',
      '--lora-r',
      '2',
      '--reward-learning-rate',
      '0.02',
      '--dev-fraction',
      '0',
      '--output-dir',
      '$out',
    ],
    ...COMMON,
  ])
  const config = JSON.parse(fs.readFileSync(join(resolveModelFolder(run.out), 'adapter_config.json'), 'utf8'))
  expect(config).toMatchObject({ task_type: 'SEQ_CLS', modules_to_save: ['classifier', 'score'] })
  const merged = join(run.out, 'merged')
  await done(['merge', '--model-name-or-path', run.out, '--export-dir', merged])
  const score = async (model: string) => {
    const output = join(run.out, 'scores.jsonl')
    await done(['reward', 'score', files.data, '--reward-model', model, '--output-file', output, ...COMMON])
    const rows = fs.readFileSync(output, 'utf8').trimEnd().split('\n')
    return rows.map((row) => JSON.parse(row).score_chosen as number)
  }
  const [adapter, whole] = [await score(run.out), await score(merged)]
  expect(new Set(adapter).size).toBeGreaterThan(1)
  for (const [i, value] of adapter.entries()) expect(value).toBeCloseTo(whole[i], 4)
  await refused(files, ask('--model-name-or-path', run.out), [/a reward model, not a language model/])
})

test('align with use_peft: SFT start, reward models and alignment are adapters on one base', async () => {
  const run = await done([
    ...[
      'align',
      '--train-dataset',
      files.data,
      '--model-name-or-path',
      files.model,
      '--use-peft',
      '--lora-r',
      '2',
    ],
    ...[
      '--test-fraction',
      '0.25',
      '--folds',
      '2',
      '--max-steps',
      '2',
      '--max-new-tokens',
      '4',
      '--output-dir',
      '$out',
    ],
    ...[
      '--per-device-train-batch-size',
      '2',
      '--gradient-accumulation-steps',
      '1',
      '--eval-prompts',
      '2',
      ...COMMON,
    ],
    ...['--reward-temperature', '1', '--label-error', '0.25'],
  ])
  for (const stage of ['start', 'reward-fold-0', 'reward-second', 'clha']) {
    const folder = resolveModelFolder(join(run.out, stage))
    const config = JSON.parse(fs.readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
    expect(config.base_model_name_or_path).toBe(files.model)
  }
  const start = join(resolveModelFolder(join(run.out, 'start')), 'adapter_model.safetensors')
  const end = join(resolveModelFolder(join(run.out, 'clha')), 'adapter_model.safetensors')
  expect(fs.readFileSync(start).length).toBe(fs.readFileSync(end).length)
})

test('settings that can not act are refused by name', async () => {
  const plain = [
    'train',
    '--train-dataset',
    files.data,
    '--model-name-or-path',
    files.model,
    '--method',
    'sft',
    '--output-dir',
    '$out',
  ]
  await refused(files, [...plain, '--lora-r', '8'], [/lora-r.*use_peft is false/])
  await refused(
    files,
    [...plain, '--use-peft', '--lora-target-modules', 'nope'],
    [/"nope" names no linear map/, /q_proj/],
  )
  const adapter = copyOf(files, 'model', 'no-adapter')
  await refused(files, [...plain, '--adapter-name-or-path', adapter], [/no adapter_config\.json/])
  await refused(files, ['merge', '--model-name-or-path', files.model, '--export-dir', '$out'], [/no adapter/])
  const scratch = [
    '--model-config',
    '{hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 1}',
  ]
  const [command, ...rest] = plain.filter((arg) => arg !== '--model-name-or-path' && arg !== files.model)
  await refused(
    files,
    [command, ...rest, ...scratch, '--tokenizer-name-or-path', files.model, '--use-peft'],
    [/use-peft.*needs model_name_or_path/],
  )
})

test('an adapter without a learning rate of its own brings a word, once; one that is set does not', async () => {
  const word =
    /learning_rate is (\S+), the default of training all weights[\s\S]*learning_rate: (\S+) or more/
  const without = sft().filter((arg, i, all) => ![arg, all[i - 1]].includes('--learning-rate'))
  const { complaint, said } = await done(without)
  expect((said + complaint).match(word)?.slice(1)).toEqual(['0.00002', '0.0002'])
  expect((said + complaint).match(new RegExp(word, 'g'))).toHaveLength(1)
  const given = await done(sft())
  expect(given.said + given.complaint).not.toMatch(/training all weights/)
  const whole = await done(
    without.filter((arg, i, all) => !['--use-peft', '--lora-r'].includes(arg) && all[i - 1] !== '--lora-r'),
  )
  expect(whole.said + whole.complaint).not.toMatch(/training all weights/)
  const folds = [
    'reward',
    'train',
    '--train-dataset',
    files.data,
    '--model-name-or-path',
    files.model,
    '--folds',
    '2',
    '--use-peft',
  ]
  const reward = await done([...folds, '--dev-fraction', '0', '--output-dir', '$out', ...COMMON])
  expect((reward.said + reward.complaint).match(/reward_learning_rate is .*, the default/g)).toHaveLength(1)
})

test('low-rank maps on embedding and head are trained, saved, resumed and merged', async () => {
  const targets = ['--lora-target-modules', '[q_proj, embed_tokens, lm_head]', '--save-steps', '2']
  const run = await done(sft(...targets))
  expect(run.said).toMatch(/on 3 maps|on 3 linear maps/)
  const file = join(run.out, 'checkpoint-4', 'adapter_model.safetensors')
  const whole = fs.readFileSync(file)
  fs.rmSync(join(run.out, 'checkpoint-4'), { recursive: true })
  await done(
    sft(...targets, '--resume-from-checkpoint', 'true').map((arg) => (arg === '$out' ? run.out : arg)),
  )
  expect(fs.readFileSync(file).equals(whole)).toBe(true)
  const tuned = answersOf((await done(ask('--model-name-or-path', run.out))).said)
  const merged = join(run.out, 'merged')
  await done(['merge', '--model-name-or-path', run.out, '--export-dir', merged])
  expect(JSON.parse(fs.readFileSync(join(merged, 'config.json'), 'utf8')).tie_word_embeddings).toBe(false)
  expect(answersOf((await done(ask('--model-name-or-path', merged))).said)).toEqual(tuned)
})
