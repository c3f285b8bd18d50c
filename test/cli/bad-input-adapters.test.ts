/** LoRA folders that are broken, of another base, or of another kind: refused by name before anything is written. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { attachAdapter } from '../../src/models/adapters/adapter.js'
import { adapterFiles } from '../../src/models/adapters/adapter-save.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { fileOf } from '../checkpoint/safetensors-cases.js'
import { badInputFolder, call, refused } from './bad-input-helpers.js'

const files = badInputFolder()

const generate = (adapter: string, model = files.model) => [
  ...['generate', '--model-name-or-path', model, '--adapter-name-or-path', adapter, '--prompt', 'hi'],
  ...['--max-new-tokens', '2', '--threads', '1', '--output-file', '$out/answers.jsonl'],
]
const merge = (adapter: string) => [
  ...['merge', '--model-name-or-path', adapter, '--export-dir', '$out', '--threads', '1'],
]

let copies = 0

/** An adapter of the tiny model as PEFT lays it out; `change` spoils its folder. */
function adapter(change: (folder: string, config: Record<string, unknown>) => object | undefined): string {
  copies += 1
  const folder = join(files.dir, `adapter-${copies}`)
  fs.mkdirSync(folder)
  const model = loadModel(files.model)
  const lora = { r: 4, alpha: 8, dropout: 0, useRslora: false, modulesToSave: [], base: files.model }
  attachAdapter(model, { ...lora, targetModules: ['q_proj', 'v_proj'] }, 1)
  for (const { path, chunks } of adapterFiles(model))
    fs.writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
  model.dispose()
  const path = join(folder, 'adapter_config.json')
  const config = JSON.parse(fs.readFileSync(path, 'utf8')) as Record<string, unknown>
  const changed = change(folder, config)
  if (changed) fs.writeFileSync(path, JSON.stringify({ ...config, ...changed }))
  return folder
}

const WEIGHTS = 'adapter_model.safetensors'

test('the folder is right where nothing is changed', async () => {
  const { code } = await call(files, generate(adapter(() => undefined)))
  expect(code).toBe(0)
})

describe('adapter_config.json', () => {
  test.each<[string, object, RegExp]>([
    [
      'another method',
      { peft_type: 'IA3' },
      /adapter_config\.json: "peft_type": "IA3" is not supported\n.*LoRA/,
    ],
    ['DoRA', { use_dora: true }, /"use_dora": true is not supported\n.*merge_and_unload/],
    [
      'a rank that is a text',
      { r: 'eight' },
      /adapter_config\.json: "r" must be a number of at least 1, found "eight"/,
    ],
    [
      'another rank than its tensors',
      { r: 8 },
      /adapter_model\.safetensors: .*lora_A\.weight.*\n.*do not belong together/,
    ],
    [
      'modules that the model has not',
      { target_modules: ['q_proj', 'wq'] },
      /v_proj\.lora_A\.weight has no place in this model/,
    ],
    [
      'a key of a newer PEFT',
      { some_new_switch: true },
      /"some_new_switch": true is not supported\n.*merge_and_unload/,
    ],
  ])('with %s', async (_, changes, message) => {
    await refused(files, generate(adapter(() => changes)), [message])
  })

  test('cut off, or not there', async () => {
    const cut = adapter(
      (folder) => void fs.writeFileSync(join(folder, 'adapter_config.json'), '{"peft_type": "LO'),
    )
    await refused(files, generate(cut), [/adapter_config\.json: not JSON.*\n.*fetch the adapter again/])
    await refused(files, generate(adapter((folder) => void fs.rmSync(join(folder, 'adapter_config.json')))), [
      /no adapter_config\.json\n.*as PEFT writes it/,
    ])
  })
})

describe('its weights', () => {
  test.each<[string, (folder: string) => void, RegExp]>([
    ['not there', (folder) => fs.rmSync(join(folder, WEIGHTS)), /no adapter_model\.safetensors/],
    [
      'cut off',
      (folder) => fs.truncateSync(join(folder, WEIGHTS), 300),
      /adapter_model\.safetensors: the header should end at byte \d+, the file at 300\n.*again/,
    ],
    [
      'as a pickle only',
      (folder) => fs.renameSync(join(folder, WEIGHTS), join(folder, 'adapter_model.bin')),
      /only as a pickle, adapter_model\.bin\n.*can run code/,
    ],
    [
      'of other tensors',
      (folder) =>
        fs.writeFileSync(
          join(folder, WEIGHTS),
          fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
        ),
      /q_proj\.lora_A\.weight is missing.*a has no place in this model/,
    ],
  ])('%s', async (_, change, message) => {
    await refused(files, generate(adapter((folder) => void change(folder))), [message])
  })
})

describe('its base', () => {
  test('is nowhere', () =>
    refused(files, merge(adapter(() => ({ base_model_name_or_path: '/no/such/base' }))), [
      /base_model_name_or_path "\/no\/such\/base" is neither a folder.*\n.*adapter_name_or_path/,
    ]))

  test('is an adapter itself', () =>
    refused(files, merge(adapter(() => ({ base_model_name_or_path: adapter(() => undefined) }))), [
      /the base of .* is an adapter itself\n.*clha merge/,
    ]))

  test('is of another size', async () => {
    const small = join(files.dir, 'wide')
    fs.cpSync(files.model, small, { recursive: true })
    const path = join(small, 'config.json')
    const config = JSON.parse(fs.readFileSync(path, 'utf8'))
    fs.writeFileSync(path, JSON.stringify({ ...config, hidden_size: 32 }))
    await refused(
      files,
      generate(
        adapter(() => undefined),
        small,
      ),
      [/wide: tensor "model\.embed_tokens\.weight" is \[320,16\], config\.json makes it \[320,32\]/],
    )
  })
})

test('a model folder is no adapter, and merge says so', async () => {
  await refused(files, generate(files.other), [/other: no adapter_config\.json\n.*as PEFT writes it/])
  await refused(files, merge(files.model), [/model: no adapter\n.*adapter_name_or_path/])
})
