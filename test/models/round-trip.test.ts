import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openModelFiles } from '../../src/checkpoint/format/sharded-model.js'
import { type Decoder, decode, logits, rewards } from '../../src/models/decoder/decoder.js'
import { initModel, rewardModelFrom } from '../../src/models/decoder/init.js'
import { loadModel, readHfConfig, reloadWeights } from '../../src/models/folders/load-model.js'
import { modelFiles } from '../../src/models/folders/save-model.js'
import { singleSequence } from '../../src/nn/layout.js'
import { type DType, noGrad, ops, scope } from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'
import { temporaryFolder } from '../helpers/folders.js'
import { languageModels, oneOfEach, rewardModels } from './recorded.js'

function saved(model: Decoder, shardBytes?: number): string {
  const folder = temporaryFolder()
  for (const { path, bytes, chunks } of modelFiles(model, shardBytes)) {
    const content = Buffer.concat([...chunks()])
    expect(content.length).toBe(bytes)
    writeFileSync(join(folder, path), content)
  }
  return folder
}

const outputs = (model: Decoder): number[] =>
  noGrad(() =>
    scope(() => {
      const hidden = decode(model, singleSequence([5, 6, 7, 8, 9, 10, 11]))
      return (model.head === 'reward' ? rewards(model, hidden) : logits(model, hidden)).numbers()
    }),
  )

/** Every tensor of a folder's files: dtype, shape and bytes. */
function tensorsOf(folder: string): Map<string, string> {
  const files = openModelFiles(folder)
  const out = new Map<string, string>()
  for (const [name, { dtype, shape, begin, end }] of files.entries) {
    const bytes = Buffer.alloc(end - begin)
    files.readInto(name, bytes)
    out.set(name, `${dtype} [${shape}] ${bytes.toString('base64')}`)
  }
  files.close()
  return out
}

const STORED: Record<string, DType> = { llama_bf16: 'bf16', llama_fp16: 'f16' }

for (const name of [...languageModels, ...rewardModels]) {
  test(`${name}: saved under the names, shapes and bytes that were loaded, whole and in shards`, () => {
    const source = fixture(`models/${name}`)
    const model = loadModel(source, STORED[name])
    const folder = saved(model)
    const original = tensorsOf(source)
    const sorted = (map: Map<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
    expect(sorted(tensorsOf(folder))).toEqual(sorted(original))
    const sharded = saved(model, 40_000)
    const index = JSON.parse(readFileSync(join(sharded, 'model.safetensors.index.json'), 'utf8'))
    expect(new Set(Object.values(index.weight_map)).size).toBeGreaterThan(1)
    expect(sorted(tensorsOf(sharded))).toEqual(sorted(original))
    const { dtype, torch_dtype: _, ...config } = readHfConfig(folder)
    expect({ ...config, dtype }).toEqual(readHfConfig(source))
    // transformers refuses 2 where it wants 2.0
    const floats = (path: string) =>
      readFileSync(join(path, 'config.json'), 'utf8').match(/"\w+": -?\d+\.0\b/g)
    expect(floats(folder)).toEqual(floats(source))
    model.dispose()
  })
}

for (const name of [...oneOfEach, ...rewardModels]) {
  test(`${name}: from scratch, saved, loaded, reloaded in place: the same outputs`, () => {
    const config = readHfConfig(fixture(`models/${name}`))
    const head = name.startsWith('rm_') ? 'reward' : 'lm'
    const model = initModel(config, 3, head)
    const folder = saved(model)
    const again = loadModel(folder)
    const expected = outputs(model)
    expect(expected.every(Number.isFinite)).toBe(true)
    expect(outputs(again)).toEqual(expected)
    const other = initModel(config, 4, head)
    expect(outputs(other)).not.toEqual(expected)
    reloadWeights(folder, other)
    expect(outputs(other)).toEqual(expected)
    for (const m of [model, again, other]) m.dispose()
  })
}

const REWARD_CLASSES: Record<string, string> = {
  gemma2: 'Gemma2ForSequenceClassification',
  gemma3_text: 'Gemma3TextForSequenceClassification',
  gpt2: 'GPT2ForSequenceClassification',
  gpt_neox_sequential: 'GPTNeoXForSequenceClassification',
  llama_bias: 'LlamaForSequenceClassification',
  mistral_swa: 'MistralForSequenceClassification',
  opt_postnorm: 'OPTForSequenceClassification',
  phi3: 'Phi3ForSequenceClassification',
  qwen2: 'Qwen2ForSequenceClassification',
  qwen3: 'Qwen3ForSequenceClassification',
}

for (const [name, architecture] of Object.entries(REWARD_CLASSES)) {
  test(`${name}: a reward model on its backbone has the class of transformers, a score and no LM head`, () => {
    const model = loadModel(fixture(`models/${name}`))
    const reward = rewardModelFrom(model, 3)
    const folder = saved(reward)
    expect(readHfConfig(folder)).toMatchObject({ architectures: [architecture], num_labels: 1 })
    const names = [...tensorsOf(folder).keys()]
    expect(names.filter((n) => /score|lm_head|embed_out/.test(n))).toEqual(['score.weight'])
    const shared = [...model.weights.keys()].filter((n) => !/lm_head|embed_out/.test(n))
    expect(names.sort()).toEqual([...shared, 'score.weight'].sort())
    const again = loadModel(folder)
    expect(again.head).toBe('reward')
    expect(outputs(again)).toEqual(outputs(reward))
    scope(() => {
      const run = (m: Decoder) => noGrad(() => decode(m, singleSequence([5, 6, 7])).numbers())
      expect(run(reward)).toEqual(run(model))
      expect(ops.max(ops.abs(reward.weights.get('score.weight')!)).item()).toBeGreaterThan(0)
    })
    for (const m of [model, reward, again]) m.dispose()
  })
}
