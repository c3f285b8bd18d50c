/** A model that was damaged never answers: changed bytes are found as the weights are read, NaN as it speaks. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { openSafetensors } from '../../src/checkpoint/format/safetensors.js'
import { main } from '../../src/cli/main.js'
import { resolveModelFolder } from '../../src/models/folders/model-folder.js'
import { badInputFolder, call, copyOf, refused } from '../cli/bad-input-helpers.js'
import { Sink } from '../helpers/sink.js'

const files = badInputFolder()
const COMMON = ['--max-length', '64', '--threads', '1']
const generate = (model: string, ...more: string[]) => [
  ...['generate', '--prompt', 'Which colour?', '--max-new-tokens', '3', '--threads', '1'],
  ...['--model-name-or-path', model, ...more],
]

/** Changes one bit, at a share of a file, and keeps its times. */
function flip(path: string, at: number, bit = 6): void {
  const { atime, mtime, size } = fs.statSync(path)
  const bytes = fs.readFileSync(path)
  bytes[Math.floor(at * (size - 1))] ^= 1 << bit
  fs.writeFileSync(path, bytes)
  fs.utimesSync(path, atime, mtime)
}

async function trained(...flags: string[]): Promise<string> {
  const run = await call(files, [
    ...['train', '--method', 'sft', '--train-dataset', files.data, '--model-name-or-path', files.model],
    ...['--max-steps', '1', '--learning-rate', '1e-6', '--output-dir', '$out', ...COMMON, ...flags],
  ])
  expect(run.code).toBe(0)
  return resolveModelFolder(run.out)
}

test('weights beside a manifest: one changed bit is found by what reads them, and the file is named', async () => {
  const whole = await trained()
  expect((await call(files, generate(whole))).code).toBe(0)
  for (const [name, at] of [
    ['model.safetensors', 1],
    ['model.safetensors', 0.7],
    ['config.json', 0.5],
    ['tokenizer.json', 0.9],
  ] as const) {
    const path = join(whole, name)
    const before = fs.readFileSync(path)
    flip(path, at, 0)
    const { code, complaint } = await call(files, generate(whole))
    expect([name, code]).toEqual([name, name === 'model.safetensors' ? 7 : code])
    expect(code).not.toBe(0)
    if (code === 7)
      expect(complaint).toMatch(
        new RegExp(`${name.replace('.', '\\.')}: its bytes are not the ones that were saved`),
      )
    fs.writeFileSync(path, before)
  }
  const weights = join(whole, 'model.safetensors')
  flip(weights, 1)
  const more: string[][] = [
    [
      'train',
      '--method',
      'sft',
      '--train-dataset',
      files.data,
      '--model-name-or-path',
      whole,
      '--output-dir',
      '$out',
      ...COMMON,
    ],
    [
      'train',
      '--method',
      'dpo',
      '--train-dataset',
      files.data,
      '--model-name-or-path',
      files.model,
      '--ref-model',
      whole,
      '--output-dir',
      '$out',
      ...COMMON,
    ],
    ['eval', '--eval-dataset', files.data, '--model-name-or-path', whole, '--output-dir', '$out', ...COMMON],
    generate(whole, '--load-in-8bit'),
  ]
  for (const argv of more) {
    const { code, complaint } = await call(files, argv)
    expect([argv[0], code]).toEqual([argv[0], 7])
    expect(complaint).toMatch(/not the ones that were saved[\s\S]*remove manifest\.json/)
  }
  fs.rmSync(join(whole, 'manifest.json'))
  expect((await call(files, generate(whole))).code).not.toBe(7)
})

test('an adapter beside a manifest, a manifest that was changed itself, and one of another program', async () => {
  const folder = await trained('--use-peft')
  const weights = join(folder, 'adapter_model.safetensors')
  const before = fs.readFileSync(weights)
  flip(weights, 1)
  await refused(files, generate(folder), [/adapter_model\.safetensors: its bytes/], 7)
  await refused(
    files,
    generate(files.model, '--adapter-name-or-path', folder),
    [/adapter_model\.safetensors: its bytes/],
    7,
  )
  fs.writeFileSync(weights, before)
  expect((await call(files, generate(folder))).code).toBe(0)
  const manifest = join(folder, 'manifest.json')
  const text = fs.readFileSync(manifest, 'utf8')
  for (const at of [0.03, 0.5, 0.97]) {
    flip(manifest, at, 0)
    expect((await call(files, generate(folder))).code).toBe(7)
    fs.writeFileSync(manifest, text)
  }
  fs.writeFileSync(manifest, '{"name": "of a browser"}')
  expect((await call(files, generate(folder))).code).toBe(0)
})

/** A copy of a model whose weights, all or those of one name, are NaN. */
function nanModel(which: 'model' | 'reward', name: string, tensor?: string): string {
  const folder = copyOf(files, which, name)
  const path = join(folder, 'model.safetensors')
  const { entries, close } = openSafetensors(path)
  const bytes = fs.readFileSync(path)
  for (const [key, { begin, end }] of entries)
    if (tensor === undefined || key.includes(tensor))
      for (let at = begin; at < end; at += 4) bytes.writeFloatLE(Number.NaN, at)
  close()
  fs.writeFileSync(path, bytes)
  return folder
}

test.each([
  ['all', undefined],
  ['one norm', 'model.norm'],
  ['one projection', 'q_proj'],
])('NaN in %s of the weights: no command answers, exit 5', async (name, tensor) => {
  const model = nanModel('model', `nan ${name}`, tensor)
  const reward = nanModel('reward', `nan reward ${name}`, tensor)
  const said = [/not finite|log-probability|reward NaN/]
  await refused(files, generate(model), said, 5)
  await refused(files, generate(model, '--temperature', '1', '--top-k', '5'), said, 5)
  await refused(files, generate(model, '--load-in-8bit'), [/not finite/], tensor === 'model.norm' ? 5 : 2)
  const evaluate = [
    'eval',
    '--eval-dataset',
    files.data,
    '--max-new-tokens',
    '3',
    '--output-dir',
    '$out',
    ...COMMON,
  ]
  expect((await call(files, [...evaluate, '--model-name-or-path', model])).code).toBe(5)
  expect(
    (await call(files, [...evaluate, '--model-name-or-path', files.model, '--baseline', model])).code,
  ).toBe(5)
  expect(
    (await call(files, [...evaluate, '--model-name-or-path', files.model, '--reward-model', reward])).code,
  ).toBe(5)
  const dpo = [
    'train',
    '--method',
    'dpo',
    '--train-dataset',
    files.data,
    '--max-steps',
    '1',
    '--output-dir',
    '$out',
    ...COMMON,
  ]
  expect((await call(files, [...dpo, '--model-name-or-path', model])).code).toBe(5)
  expect((await call(files, [...dpo, '--model-name-or-path', files.model, '--ref-model', model])).code).toBe(
    5,
  )
  const sft = dpo.map((arg) => (arg === 'dpo' ? 'sft' : arg))
  expect((await call(files, [...sft, '--model-name-or-path', model])).code).toBe(5)
  const score = ['reward', 'score', files.data, '--output-file', join(files.dir, 'never.jsonl'), ...COMMON]
  expect((await call(files, [...score, '--reward-model', reward])).code).toBe(5)
  expect(fs.existsSync(join(files.dir, 'never.jsonl'))).toBe(false)
  for (const served of [
    ['--model-name-or-path', model],
    ['--reward-model', reward],
  ])
    expect((await call(files, ['serve', '--port', '0', '--threads', '1', ...served])).code).toBe(5)
  const stderr = new Sink()
  const chat = ['chat', '--model-name-or-path', model, '--max-new-tokens', '3', '--threads', '1']
  const code = await main(chat, {
    stdin: Readable.from(['Hello\n']),
    stdout: new Sink(),
    stderr,
    env: {},
    exit() {},
  })
  expect(stderr.text).toMatch(/not finite/)
  expect(code).toBe(5)
})
