/** What clha merge writes: the numbers of adapter and base, in the dtype of the base unless another is asked for. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openModelFiles } from '../../src/checkpoint/format/sharded-model.js'
import { adapterTensors, attachAdapter } from '../../src/models/adapters/adapter.js'
import { adapterFiles } from '../../src/models/adapters/adapter-save.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { modelFiles } from '../../src/models/folders/save-model.js'
import { noGrad, ops, scope } from '../../src/tensor/index.js'
import { badInputFolder, call } from '../cli/bad-input-helpers.js'
import { fixture } from '../fixtures.js'
import { temporaryFolder } from '../helpers/folders.js'

const files = badInputFolder()

/** A folder with an adapter on this base: all maps hold this number. */
function adapterOn(base: string, value = 0.01): string {
  const model = loadModel(base)
  const options = { r: 2, alpha: 2, dropout: 0, useRslora: false, modulesToSave: [] }
  attachAdapter(model, { ...options, targetModules: ['q_proj'], base }, 1)
  noGrad(() =>
    scope(() =>
      adapterTensors(model.adapter!).forEach((t) => void ops.copyInPlace(t, ops.full(t.shape, value, 'f32'))),
    ),
  )
  const folder = temporaryFolder()
  for (const { path, chunks } of adapterFiles(model))
    fs.writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
  model.dispose()
  return folder
}

async function merged(adapter: string, ...flags: string[]) {
  const result = await call(files, [
    'merge',
    '--model-name-or-path',
    adapter,
    '--export-dir',
    '$out',
    '--threads',
    '1',
    ...flags,
  ])
  if (result.code !== 0) return { ...result, dtypes: new Set<string>(), dtype: undefined }
  const weights = openModelFiles(result.out)
  const dtypes = new Set(Array.from(weights.entries.values(), ({ dtype }) => dtype as string))
  weights.close()
  const { dtype } = JSON.parse(fs.readFileSync(join(result.out, 'config.json'), 'utf8'))
  return { ...result, dtypes, dtype: dtype as string }
}

test.each([
  ['llama_bf16', 'BF16', 'bfloat16'],
  ['llama_fp16', 'F16', 'float16'],
  ['llama_gqa', 'F32', 'float32'],
  ['llama_sharded', 'F32', 'float32'],
])('%s: the merged model has the dtype of its base, and the command says so', async (name, stored, dtype) => {
  const found = await merged(adapterOn(fixture(`models/${name}`)))
  expect([...found.dtypes]).toEqual([stored])
  expect(found.dtype).toBe(dtype)
  expect(found.said + found.complaint).toMatch(new RegExp(`${dtype}, as its base is stored`))
})

test('dtype is what is asked for', async () => {
  const adapter = adapterOn(fixture('models/llama_bf16'))
  const wide = await merged(adapter, '--dtype', 'float32')
  expect([[...wide.dtypes], wide.dtype]).toEqual([['F32'], 'float32'])
  expect(wide.said + wide.complaint).not.toMatch(/as its base/)
  const narrow = await merged(adapterOn(fixture('models/llama_gqa')), '--dtype', 'bfloat16')
  expect([[...narrow.dtypes], narrow.dtype]).toEqual([['BF16'], 'bfloat16'])
})

test('a base of several dtypes keeps that of each tensor', async () => {
  const model = loadModel(fixture('models/llama_gqa'))
  for (const [name, weight] of model.weights)
    if (!name.includes('norm'))
      model.weights.set(
        name,
        noGrad(() => ops.to(weight, 'bf16')),
      )
  const base = temporaryFolder()
  for (const { path, chunks } of modelFiles(model))
    fs.writeFileSync(join(base, path), Buffer.concat([...chunks()]))
  const { out, dtype } = await merged(adapterOn(base))
  const weights = openModelFiles(out)
  for (const [name, entry] of weights.entries)
    expect([name, entry.dtype]).toEqual([name, name.includes('norm') ? 'F32' : 'BF16'])
  weights.close()
  expect(dtype).toBe('bfloat16')
})

test('a weight that is too large for the dtype of the base is an error, and nothing is written', async () => {
  const adapter = adapterOn(fixture('models/llama_fp16'), 300) // 2 · 300 · 300 is above 65,504
  const { code, complaint, out } = await merged(adapter)
  expect(complaint).toMatch(/q_proj\.weight: not finite in float16/)
  expect(code).toBe(5)
  expect(fs.existsSync(join(out, 'config.json'))).toBe(false)
  expect((await merged(adapter, '--dtype', 'bfloat16')).code).toBe(0)
})

test('an adapter with a tokenizer of its own leaves the generation_config.json of its base', async () => {
  const base = temporaryFolder()
  fs.cpSync(fixture('models/llama_gqa'), base, { recursive: true })
  const generation = JSON.stringify({ eos_token_id: [1, 2] })
  fs.writeFileSync(join(base, 'generation_config.json'), generation)
  const adapter = adapterOn(base)
  fs.copyFileSync(join(files.model, 'tokenizer.json'), join(adapter, 'tokenizer.json'))
  const { out } = await merged(adapter)
  expect(fs.readFileSync(join(out, 'generation_config.json'), 'utf8')).toBe(generation)
})
