/** Folders in which an adapter lies beside other files: it is always used, or the message says that it is one. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { loadLanguageModel, stopIdsOf } from '../../src/load/language-model.js'
import { adapterTensors, attachAdapter } from '../../src/models/adapters/adapter.js'
import { adapterFiles } from '../../src/models/adapters/adapter-save.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { modelHash, resolveModelFolder } from '../../src/models/folders/model-folder.js'
import { modelFiles } from '../../src/models/folders/save-model.js'
import { Generator, noGrad, ops, scope } from '../../src/tensor/index.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { badInputFolder, call, copyOf, refused } from '../cli/bad-input-helpers.js'

const files = badInputFolder()
let adapter = ''
/** Answers of base and adapter by the two keys that name both. */
let tuned: unknown
let plain: unknown

const COMMON = ['--max-length', '64', '--threads', '1']

async function answers(...flags: string[]): Promise<string[] | null> {
  const prompt = ['--prompt', 'Which colour has the sky?', '--max-new-tokens', '8', '--json']
  const { code, said, complaint } = await call(files, ['generate', ...prompt, '--threads', '1', ...flags])
  expect([code, complaint.match(/error.*/i)?.[0]]).toEqual([0, undefined])
  return said.match(/"answer":"(?:[^"\\]|\\.)*"/g)
}

beforeAll(async () => {
  const model = loadModel(files.model)
  const options = { r: 4, alpha: 8, dropout: 0, useRslora: false, modulesToSave: [] }
  attachAdapter(model, { ...options, targetModules: ['q_proj', 'v_proj'], base: files.model }, 1)
  const generator = new Generator(3)
  noGrad(() =>
    scope(() => {
      for (const tensor of adapterTensors(model.adapter!).values())
        ops.copyInPlace(tensor, ops.randn(tensor.shape, generator, 'f32'))
    }),
  )
  adapter = join(files.dir, 'adapter')
  fs.mkdirSync(adapter)
  for (const { path, chunks } of adapterFiles(model))
    fs.writeFileSync(join(adapter, path), Buffer.concat([...chunks()]))
  generator.dispose()
  model.dispose()
  plain = await answers('--model-name-or-path', files.model)
  tuned = await answers('--model-name-or-path', files.model, '--adapter-name-or-path', adapter)
  expect(tuned).not.toEqual(plain)
})

/** A base with the adapter in its folder; what `base_model_name_or_path` says is of no account there. */
function beside(name: string, base: unknown = 'nowhere/at-all'): string {
  const folder = copyOf(files, 'model', name)
  fs.cpSync(adapter, folder, { recursive: true })
  rename(folder, base)
  return folder
}

function rename(folder: string, base: unknown): void {
  const path = join(folder, 'adapter_config.json')
  const config = JSON.parse(fs.readFileSync(path, 'utf8'))
  fs.writeFileSync(path, JSON.stringify({ ...config, base_model_name_or_path: base }))
}

test('an adapter beside its base in one folder is used: generate, merge, train, eval', async () => {
  const folder = beside('beside')
  expect(await answers('--model-name-or-path', folder)).toEqual(tuned)
  expect(await answers('--model-name-or-path', beside('beside-itself', '.'))).toEqual(tuned)
  expect(await answers('--model-name-or-path', folder, '--adapter-name-or-path', folder)).toEqual(tuned)

  const merge = await call(files, ['merge', '--model-name-or-path', folder, '--export-dir', '$out/merged'])
  expect(merge.code).toBe(0)
  const merged = join(merge.out, 'merged')
  expect(fs.readdirSync(merged)).not.toContain('adapter_config.json')
  expect(await answers('--model-name-or-path', merged)).toEqual(tuned)

  const train = ['train', '--method', 'sft', '--train-dataset', files.data, '--model-name-or-path', folder]
  const run = await call(files, [
    ...train,
    ...['--max-steps', '1', '--learning-rate', '1e-9'],
    '--output-dir',
    '$out',
    ...COMMON,
  ])
  expect(run.code).toBe(0)
  expect(run.said + run.complaint).toMatch(/rank 4 on 2 linear maps/)
  // The checkpoint names the folder as its base: the weights in it, not once more the adapter.
  expect(await answers('--model-name-or-path', run.out)).toEqual(tuned)
  expect(fs.existsSync(join(resolveModelFolder(run.out), 'model.safetensors'))).toBe(false)

  const ask = [
    'eval',
    '--eval-dataset',
    files.data,
    '--max-new-tokens',
    '4',
    '--output-dir',
    '$out',
    ...COMMON,
  ]
  const both = [...ask, '--model-name-or-path', folder, '--baseline', merged]
  const judged = await call(files, [
    ...both,
    '--reward-model',
    files.reward,
    '--eval-reward-model',
    files.second,
  ])
  expect(judged.code).toBe(0)
  const { samples } = JSON.parse(fs.readFileSync(join(judged.out, 'report.json'), 'utf8'))
  expect(samples.length).toBeGreaterThan(0)
  for (const { answers: own } of samples)
    expect(new Set(own.map((a: { text: string }) => a.text)).size).toBe(1)
})

test('a sharded base, another adapter on top, and an adapter without its weights', async () => {
  const folder = beside('shards')
  const model = loadModel(files.model)
  fs.rmSync(join(folder, 'model.safetensors'))
  for (const { path, chunks } of modelFiles(model, 20_000))
    fs.writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
  model.dispose()
  expect(fs.existsSync(join(folder, 'model.safetensors.index.json'))).toBe(true)
  expect(await answers('--model-name-or-path', folder)).toEqual(tuned)
  const ask = ['generate', '--prompt', 'a', '--threads', '1', '--model-name-or-path', folder]
  await refused(files, [...ask, '--adapter-name-or-path', adapter], [/holds an adapter/])
  fs.rmSync(join(folder, 'adapter_model.safetensors'))
  await refused(files, ask, [/shards: no adapter_model\.safetensors/])
  fs.writeFileSync(join(folder, 'adapter_model.bin'), 'x')
  await refused(files, ask, [/pickle, adapter_model\.bin/])
})

test('config.json and an adapter without weights of a base: an adapter, on the base that it names', async () => {
  const folder = join(files.dir, 'beside-config')
  fs.cpSync(adapter, folder, { recursive: true })
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    if (fs.existsSync(join(files.model, name))) fs.copyFileSync(join(files.model, name), join(folder, name))
  expect(await answers('--model-name-or-path', folder)).toEqual(tuned)
  expect(await answers('--model-name-or-path', files.model, '--adapter-name-or-path', folder)).toEqual(tuned)
  for (const base of ['/nowhere/at-all', '.', null]) {
    rename(folder, base)
    await refused(
      files,
      ['generate', '--prompt', 'a', '--threads', '1', '--model-name-or-path', folder],
      [/an adapter without its base/, /adapter_name_or_path/],
    )
  }
  fs.rmSync(join(folder, 'adapter_config.json'))
  await refused(
    files,
    ['generate', '--prompt', 'a', '--threads', '1', '--model-name-or-path', folder],
    [/no model\.safetensors/, /adapter_config\.json is missing/],
  )
})

test('a base is known by its own files: an adapter that comes to lie beside it changes the model, not the base', async () => {
  const folder = copyOf(files, 'model', 'known')
  const own = join(files.dir, 'own')
  fs.cpSync(adapter, own, { recursive: true })
  rename(own, folder)
  const [model, tunedModel] = [await modelHash(folder), await modelHash(own)]
  fs.cpSync(adapter, folder, { recursive: true })
  expect(await modelHash(folder)).not.toBe(model)
  expect(await modelHash(own)).toBe(tunedModel)
  expect(await answers('--model-name-or-path', own)).toEqual(tuned)
})

test('answers of an adapter with a tokenizer of its own end where the generation_config.json of its base says', async () => {
  const base = copyOf(files, 'model', 'base-of-own-tokenizer')
  fs.writeFileSync(join(base, 'generation_config.json'), JSON.stringify({ eos_token_id: [7, 9], top_k: 3 }))
  const own = join(files.dir, 'own-tokenizer')
  fs.cpSync(adapter, own, { recursive: true })
  fs.copyFileSync(join(base, 'tokenizer.json'), join(own, 'tokenizer.json'))
  const path = join(own, 'adapter_config.json')
  const config = JSON.parse(fs.readFileSync(path, 'utf8'))
  fs.writeFileSync(path, JSON.stringify({ ...config, base_model_name_or_path: base }))
  const lm = await loadLanguageModel(own, 'f32')
  expect(stopIdsOf(lm)).toEqual(expect.arrayContaining([7, 9]))
  const saved = join(files.dir, 'own-tokenizer-saved')
  await lm.tokenizer.saveTo(saved)
  lm.model.dispose()
  expect((await loadTokenizer(saved)).stopIds).toEqual(lm.tokenizer.stopIds)
})
