import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type TensorToWrite, writeSafetensors } from '../../src/checkpoint/safetensors-write.js'
import { DiskStorage } from '../../src/checkpoint/storage.js'
import { ClhaError } from '../../src/errors.js'
import { decode, parameterCount } from '../../src/models/decoder.js'
import { initModel, rewardModelFrom } from '../../src/models/init.js'
import { loadModel, readHfConfig } from '../../src/models/load.js'
import { modelFiles, tensorsToWrite } from '../../src/models/save.js'
import { singleSequence } from '../../src/nn/layout.js'
import { type DType, noGrad, scope } from '../../src/tensor/index.js'
import { fixture, readTensors } from '../fixtures.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'

const llama = fixture('models/llama_gqa')

type Change = { config?: Record<string, unknown>; tensors?: (list: TensorToWrite[]) => TensorToWrite[] }

/** A copy of llama_gqa with something changed. */
function changed({ config = {}, tensors = (list) => list }: Change): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...readHfConfig(llama), ...config }))
  scope(() => {
    const list = tensorsToWrite(readTensors('models/llama_gqa/model.safetensors'))
    writeSafetensors(new DiskStorage(), join(folder, 'model.safetensors'), tensors(list), { format: 'pt' })
  })
  return folder
}

function refusal(change: Change): ClhaError {
  const error = thrown(() => loadModel(changed(change)).dispose())
  expect(error).toBeInstanceOf(ClhaError)
  expect((error as ClhaError).exitCode).toBe(2)
  return error as ClhaError
}

describe('weights that do not fit', () => {
  test('a missing tensor', () => {
    const { message, hint } = refusal({
      tensors: (list) => list.filter((t) => t.name !== 'model.norm.weight'),
    })
    expect(message).toContain('the weights lack model.norm.weight')
    expect(hint).toContain('not of the same model')
  })

  test('many missing tensors are counted, not listed', () => {
    const { message } = refusal({ tensors: (list) => list.filter((t) => !t.name.includes('layers.1')) })
    expect(message).toContain('… (9)')
  })

  test('a tensor without a place', () => {
    const extra = {
      name: 'model.layers.7.mlp.up_proj.weight',
      dtype: 'F32',
      shape: [1],
      bytes: new Uint8Array(4),
    } as const
    expect(refusal({ tensors: (list) => [...list, extra] }).message).toContain(
      'model.layers.7.mlp.up_proj.weight',
    )
  })

  test('buffers of older checkpoints are ignored', () => {
    const extra = {
      name: 'model.layers.0.self_attn.rotary_emb.inv_freq',
      dtype: 'F32',
      shape: [1],
      bytes: new Uint8Array(4),
    } as const
    loadModel(changed({ tensors: (list) => [...list, extra] })).dispose()
  })

  test('a tensor of another shape, with both shapes', () => {
    expect(refusal({ config: { intermediate_size: 81 } }).message).toContain(
      '"model.layers.0.mlp.gate_proj.weight" is [80,32], config.json makes it [81,32]',
    )
  })

  test('only a pickle', () => {
    const folder = changed({})
    renameSync(join(folder, 'model.safetensors'), join(folder, 'pytorch_model.bin'))
    const error = thrown(() => loadModel(folder)) as ClhaError
    expect([error.exitCode, error.message]).toEqual([2, expect.stringContaining('pickle')])
  })
})

describe('a config that this decoder does not compute', () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ['model_type', { model_type: 'mamba' }, 'model_type "mamba" is not supported'],
    [
      'a model_type that is a key of every object',
      { model_type: 'constructor' },
      '"constructor" is not supported',
    ],
    ['no model_type', { model_type: undefined }, 'model_type "undefined"'],
    ['hidden_act', { hidden_act: 'gelu' }, '"hidden_act": "gelu" is not supported'],
    ['rope type', { rope_parameters: { rope_type: 'yarn', rope_theta: 1e4, factor: 2 } }, 'rope type "yarn"'],
    [
      'legacy rope type',
      { rope_parameters: undefined, rope_scaling: { type: 'linear', factor: 2 } },
      'rope type "linear"',
    ],
    [
      'llama3 without its factor',
      { rope_parameters: { rope_type: 'llama3', rope_theta: 1e4 } },
      '"factor" must be a number',
    ],
    ['heads', { num_key_value_heads: 3 }, '4 query heads are not a multiple of 3'],
    ['sizes', { hidden_size: 0 }, '"hidden_size" must be a positive whole number, found 0'],
    ['sizes as text', { vocab_size: '128' }, '"vocab_size" must be a number, found "128"'],
    ['flags', { attention_bias: 'yes' }, '"attention_bias" must be true or false'],
    [
      'labels',
      { architectures: ['LlamaForSequenceClassification'], num_labels: 3 },
      'has 1 label, this one has 3',
    ],
  ]
  for (const [name, config, message] of cases) {
    test(name, () => expect(refusal({ config }).message).toContain(message))
  }

  test('no config, a broken one, a list', () => {
    const folder = temporaryFolder()
    expect(thrown(() => loadModel(folder)).message).toContain('no config.json')
    for (const [text, message] of [
      ['{', 'not valid JSON'],
      ['[]', 'holds no JSON object'],
      ['null', 'holds no JSON object'],
    ]) {
      writeFileSync(join(folder, 'config.json'), text)
      expect(thrown(() => loadModel(folder)).message).toContain(message)
    }
  })
})

const save = (model: ReturnType<typeof loadModel>, folder: string) => {
  for (const file of modelFiles(model))
    writeFileSync(join(folder, file.path), Buffer.concat([...file.chunks()]))
}

test('a saved model has the bytes it was loaded from, and loads again to the same outputs', () => {
  for (const name of ['llama_gqa', 'llama_tied', 'llama_bias', 'rm_llama']) {
    const source = fixture(`models/${name}`)
    const folder = temporaryFolder()
    const first = loadModel(source)
    save(first, folder)
    const again = loadModel(folder)
    const read = (path: string) => readFileSync(join(path, 'model.safetensors'))
    const second = temporaryFolder()
    save(again, second)
    expect(read(second).equals(read(folder))).toBe(true)
    scope(() => {
      const original = readTensors(`models/${name}/model.safetensors`)
      for (const [tensor, weight] of again.weights)
        expect(weight.data()).toEqual(original.get(tensor)!.data())
      expect(again.weights.size).toBe(original.size)
      const run = (model: typeof first) => noGrad(() => decode(model, singleSequence([5, 6, 7])).numbers())
      expect(run(again)).toEqual(run(first))
    })
    first.dispose()
    again.dispose()
  }
})

test('the bytes of the file itself come back where the file was laid out as ours', () => {
  const model = loadModel(llama)
  const folder = temporaryFolder()
  save(model, folder)
  const loaded = loadModel(folder)
  const bytes = Buffer.concat([...modelFiles(loaded)[1].chunks()])
  expect(bytes.equals(readFileSync(join(llama, 'model.safetensors')))).toBe(true)
  model.dispose()
  loaded.dispose()
})

test('16-bit models round trip in their own dtype', () => {
  for (const [name, dtype, key] of [
    ['llama_bf16', 'bf16', 'bfloat16'],
    ['llama_fp16', 'f16', 'float16'],
  ] as [string, DType, string][]) {
    const model = loadModel(fixture(`models/${name}`), dtype)
    const folder = temporaryFolder()
    save(model, folder)
    expect(readHfConfig(folder).dtype).toBe(key)
    scope(() => {
      const original = readTensors(`models/${name}/model.safetensors`)
      for (const [tensor, weight] of model.weights)
        expect(weight.data()).toEqual(original.get(tensor)!.data())
    })
    model.dispose()
  }
})

test('configs in the older spelling load to the same model', () => {
  const folder = temporaryFolder()
  const legacy = fixture('models/llama_rope_llama3')
  copyFileSync(join(legacy, 'config.legacy.json'), join(folder, 'config.json'))
  copyFileSync(join(legacy, 'model.safetensors'), join(folder, 'model.safetensors'))
  const [a, b] = [loadModel(legacy), loadModel(folder)]
  expect(b.config).toEqual(a.config)
  expect(a.config.ropeScaling).toBeDefined()
  a.dispose()
  b.dispose()
})

test('from scratch: one seed, one model, whatever the dtype; a reward model keeps the backbone', () => {
  const config = readHfConfig(llama)
  const models = [
    initModel(config, 1),
    initModel(config, 1),
    initModel(config, 2),
    initModel(config, 1, 'lm', 'f64'),
  ]
  const name = 'model.layers.1.mlp.up_proj.weight'
  const values = models.map((m) => m.weights.get(name)!.numbers())
  expect(values[1]).toEqual(values[0])
  expect(values[2]).not.toEqual(values[0])
  expect(values[3]).toEqual(values[0])
  const std = Math.sqrt(values[0].reduce((sum, x) => sum + x * x, 0) / values[0].length)
  expect(std).toBeGreaterThan(0.27) // initializer_range is 0.3
  expect(std).toBeLessThan(0.33)
  expect(models[0].weights.get('model.norm.weight')!.numbers()).toEqual(new Array(32).fill(1))
  const reward = rewardModelFrom(models[0], 3)
  expect(reward.weights.get(name)!.numbers()).toEqual(values[0])
  expect(reward.weights.get('score.weight')!.shape).toEqual([1, 32])
  expect(reward.weights.has('lm_head.weight')).toBe(false)
  expect(parameterCount(models[0]) - parameterCount(reward)).toBe(128 * 32 - 32)
  for (const m of [...models, reward]) m.dispose()
})
