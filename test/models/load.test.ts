import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TensorToWrite } from '../../src/checkpoint/format/safetensors-write.js'
import { ClhaError } from '../../src/errors.js'
import { DiskStorage } from '../../src/files/storage.js'
import { parameterCount } from '../../src/models/decoder/decoder.js'
import { initModel, rewardModelFrom } from '../../src/models/decoder/init.js'
import { loadModel, readHfConfig } from '../../src/models/folders/load-model.js'
import { modelFiles, tensorsToWrite } from '../../src/models/folders/save-model.js'
import { type DType, memory, noGrad, ops, scope } from '../../src/tensor/index.js'
import { fixture, readTensors } from '../fixtures.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { writeSafetensors } from '../helpers/safetensors.js'

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
    const model = loadModel(changed({ tensors: (list) => [...list, extra] }))
    expect([model.weights.has(extra.name), model.weights.has('model.norm.weight')]).toEqual([false, true])
    model.dispose()
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

test('no config, a broken one, a list', () => {
  const folder = temporaryFolder()
  expect(thrown(() => loadModel(folder)).message).toContain('no config.json')
  for (const [text, message] of [
    ['{', 'not JSON'],
    ['[]', 'holds no JSON object'],
    ['null', 'holds no JSON object'],
  ]) {
    writeFileSync(join(folder, 'config.json'), text)
    expect(thrown(() => loadModel(folder)).message).toContain(message)
  }
})

test('a file of the bare base model, as the original GPT-2 has it: no prefix, with buffers', () => {
  const source = fixture('models/gpt2')
  const folder = temporaryFolder()
  copyFileSync(join(source, 'config.json'), join(folder, 'config.json'))
  scope(() => {
    const bare = tensorsToWrite(readTensors('models/gpt2/model.safetensors')).map((t) => ({
      ...t,
      name: t.name.replace('transformer.', ''),
    }))
    const buffer = { name: 'h.0.attn.bias', dtype: 'F32', shape: [1], bytes: new Uint8Array(4) } as const
    writeSafetensors(new DiskStorage(), join(folder, 'model.safetensors'), [...bare, buffer])
  })
  const [a, b] = [loadModel(source), loadModel(folder)]
  for (const [name, weight] of a.weights) expect(b.weights.get(name)!.data()).toEqual(weight.data())
  for (const model of [a, b]) model.dispose()
})

const EMBEDDING = 'model.embed_tokens.weight'
const HEAD = 'lm_head.weight'

/** The head's bytes are those of the embedding, but for what `change` does to them. */
const tied = (change: (bytes: Uint8Array) => void = () => {}) => ({
  config: { tie_word_embeddings: true },
  tensors: (list: TensorToWrite[]) => {
    const embedding = list.find(({ name }) => name === EMBEDDING)!
    const bytes = Uint8Array.from(embedding.bytes)
    change(bytes)
    return list.map((tensor) => (tensor.name === HEAD ? { ...embedding, name: HEAD, bytes } : tensor))
  },
})

test('a tied head that the file holds all the same is no surplus', () => {
  const model = loadModel(changed(tied()))
  expect(model.weights.has(HEAD)).toBe(false)
  expect(model.output.weight).toBe(model.embedding)
  model.dispose()
})

test('a head of its own, down to its last byte, is not passed over where config.json ties it', () => {
  const { message, hint } = refusal(tied((bytes) => bytes.set([1], bytes.length - 1)))
  expect(message).toContain('"tie_word_embeddings": true, and the weights hold lm_head.weight')
  expect(hint).toContain('set "tie_word_embeddings": false')
  const head = new Float32Array(128 * 32).fill(1)
  const tensors = (list: TensorToWrite[]) =>
    list.map((t) => (t.name === HEAD ? { ...t, bytes: new Uint8Array(head.buffer) } : t))
  loadModel(changed({ config: { tie_word_embeddings: false }, tensors })).dispose()
})

test('whole numbers are no weights', () => {
  const tensors = (list: TensorToWrite[]) =>
    list.map((t) => (t.name === 'model.norm.weight' ? { ...t, dtype: 'I32' as const } : t))
  expect(refusal({ tensors })).toMatchObject({
    message: expect.stringContaining('"model.norm.weight" has dtype I32'),
    hint: expect.stringContaining('F64, F32, F16 or BF16'),
  })
})

const save = (model: ReturnType<typeof loadModel>, folder: string) => {
  for (const file of modelFiles(model))
    writeFileSync(join(folder, file.path), Buffer.concat([...file.chunks()]))
}

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

describe('memory of loading', () => {
  const sizes = { hidden_size: 64, num_hidden_layers: 8, num_attention_heads: 8 }
  const stored = (settings: object, dtype: DType) => {
    const model = initModel({ ...readHfConfig(llama), ...sizes, ...settings }, 1, 'lm', dtype)
    const folder = temporaryFolder()
    save(model, folder)
    model.dispose()
    return folder
  }

  test.each([
    ['many layers', {}],
    [
      'hardly more than an embedding',
      { num_hidden_layers: 1, vocab_size: 400_000, tie_word_embeddings: true },
    ],
  ])(
    'peaks at no more than 1.1 times the weights as used, also where they are widened: %s',
    (_, settings) => {
      const folder = stored(settings, 'bf16')
      for (const dtype of ['f32', 'bf16'] as const) {
        const before = memory({ resetPeak: true }).bytes
        const model = loadModel(folder, dtype)
        const { bytes, peakBytes } = memory()
        const used = bytes - before
        expect(used).toBe(parameterCount(model) * (dtype === 'f32' ? 4 : 2))
        expect((peakBytes - before) / used).toBeLessThan(1.1)
        model.dispose()
      }
    },
  )

  test.runIf(process.platform === 'linux')(
    'mapped weights are the file itself until they are disposed; what is written to them stays out of it',
    () => {
      const folder = stored({}, 'f32')
      const path = join(folder, 'model.safetensors')
      const isMapped = () => readFileSync('/proc/self/maps', 'utf8').includes(path)
      const file = readFileSync(path)
      const mapped = loadModel(folder, 'f32', true)
      const copied = loadModel(folder, 'f32')
      for (const [name, weight] of mapped.weights)
        expect(weight.data(), name).toEqual(copied.weights.get(name)!.data())
      copied.dispose()
      expect(isMapped()).toBe(true)
      for (const weight of mapped.weights.values())
        scope(() => noGrad(() => void ops.copyInPlace(weight, ops.zeros(weight.shape))))
      expect(readFileSync(path).equals(file)).toBe(true)
      mapped.dispose()
      expect(isMapped()).toBe(false)
      const narrowed = loadModel(folder, 'bf16', true) // so it has to be read
      expect(isMapped()).toBe(false)
      narrowed.dispose()
    },
  )
})
