import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSafetensors } from '../../src/checkpoint/format/safetensors.js'
import {
  adapterTensors,
  attachAdapter,
  trainableWeights,
  withAdapterOff,
} from '../../src/models/adapters/adapter.js'
import type { LoraOptions } from '../../src/models/adapters/adapter-config.js'
import { loadAdapter, loadModelFolder } from '../../src/models/adapters/adapter-load.js'
import { largestDifference, mergeAdapter } from '../../src/models/adapters/adapter-merge.js'
import { adapterFiles } from '../../src/models/adapters/adapter-save.js'
import { type Decoder, decode, logits } from '../../src/models/decoder/decoder.js'
import { rewardModelFrom } from '../../src/models/decoder/init.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { singleSequence } from '../../src/nn/layout.js'
import { Generator, memory, noGrad, onDevice, ops, scope } from '../../src/tensor/index.js'
import { fixture, maxDifference } from '../fixtures.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { copyOfBytes } from '../helpers/numbers.js'
import { tinyModel } from '../train/tiny.js'

const LORA: LoraOptions = {
  r: 4,
  alpha: 8,
  dropout: 0,
  targetModules: 'all-linear',
  useRslora: false,
  modulesToSave: [],
}

const ADAPTERS = ['lora_qv', 'lora_all_linear']
const base = () => fixture('models/llama_gqa')
const numbers = (model: Decoder, ids: number[]) =>
  noGrad(() => scope(() => logits(model, decode(model, singleSequence(ids))).numbers()))

/** Every weight of the base, as bytes. */
const bytesOf = (model: Decoder) => Buffer.concat(Array.from(model.weights.values(), copyOfBytes))

function write(folder: string, model: Decoder): void {
  fs.mkdirSync(folder, { recursive: true })
  for (const { path, chunks } of adapterFiles(model))
    fs.writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
}

for (const name of ADAPTERS) {
  test(`${name}: merging keeps the adapter's logits and leaves the base as it was`, () => {
    const before = memory().tensors
    const model = loadModelFolder(fixture(`models/${name}/adapter`))
    const untouched = withAdapterOff(model, () => bytesOf(model))
    const merged = mergeAdapter(model)
    const { largest, scale } = largestDifference(model, merged)
    expect(largest).toBeLessThan(1e-4)
    expect(largest).toBeGreaterThan(0)
    expect(scale).toBeGreaterThan(1)
    expect(bytesOf(model).equals(untouched)).toBe(true)
    merged.dispose()
    numbers(model, [1, 2, 3])
    model.dispose()
    expect(memory().tensors).toBe(before)
  })

  test(`${name}: saved again, config and tensors are those that PEFT wrote`, () => {
    const model = loadModelFolder(fixture(`models/${name}/adapter`))
    const folder = temporaryFolder()
    write(folder, model)
    const [ours, theirs] = [folder, fixture(`models/${name}/adapter`)].map((dir) =>
      JSON.parse(fs.readFileSync(join(dir, 'adapter_config.json'), 'utf8')),
    )
    expect(theirs).toMatchObject({ ...ours, base_model_name_or_path: expect.any(String) })
    expect(ours.base_model_name_or_path).toBe(base())
    const [a, b] = [folder, fixture(`models/${name}/adapter`)].map((dir) => {
      const file = openSafetensors(join(dir, 'adapter_model.safetensors'))
      const read = Array.from(file.entries, ([key, { shape, dtype, begin, end }]) => {
        const bytes = new Uint8Array(end - begin)
        file.readInto(key, bytes)
        return [key, shape, dtype, Buffer.from(bytes).toString('base64')]
      })
      file.close()
      return read.sort()
    })
    expect(a).toEqual(b)
    model.dispose()
  })
}

const causal = fs.readdirSync(fixture('models')).filter((name) => !/^(rm|lora)_/.test(name))

test.each(causal)(
  '%s: an adapter on all linear maps is saved, loaded and merged with the same logits',
  (name) => {
    const model = loadModel(fixture(`models/${name}`))
    attachAdapter(model, LORA, 1)
    const generator = new Generator(2)
    noGrad(() =>
      scope(() =>
        adapterTensors(model.adapter!).forEach((t) => {
          ops.copyInPlace(t, ops.mulScalar(onDevice(ops.randn(t.shape, generator, 'f32')), 0.1))
        }),
      ),
    )
    generator.dispose()
    const folder = temporaryFolder()
    write(folder, model)
    const again = loadModel(fixture(`models/${name}`))
    const plain = numbers(again, [1, 2, 3, 4])
    loadAdapter(folder, again)
    expect(numbers(again, [1, 2, 3, 4])).toEqual(numbers(model, [1, 2, 3, 4]))
    expect(maxDifference(numbers(again, [1, 2, 3, 4]), plain)).toBeGreaterThan(1e-2)
    const merged = mergeAdapter(again)
    const { largest, scale } = largestDifference(again, merged)
    expect(largest).toBeLessThan(1e-4 * Math.max(1, scale))
    for (const m of [merged, again, model]) m.dispose()
  },
)

test('a fresh adapter changes nothing, and only its own tensors are trained', () => {
  const model = loadModel(base())
  const before = numbers(model, [3, 1, 4, 1, 5])
  const { maps } = attachAdapter(model, LORA, 1)
  expect(maps.size).toBe(14)
  expect(numbers(model, [3, 1, 4, 1, 5])).toEqual(before)
  const names = [...trainableWeights(model).keys()]
  expect(names).toHaveLength(28)
  expect(names[0]).toBe('base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight')
  const bound = 1 / Math.sqrt(32)
  const a = adapterTensors(model.adapter!).get(names[0])!.numbers()
  expect(Math.max(...a.map(Math.abs))).toBeLessThanOrEqual(bound)
  expect(Math.max(...a)).toBeGreaterThan(0.8 * bound)
  model.dispose()
})

const targets: [string | string[], string[]][] = [
  [
    ['q_proj', 'v_proj'],
    ['self_attn.q_proj', 'self_attn.v_proj'],
  ],
  [['mlp.up_proj'], ['mlp.up_proj']],
  ['.*\\.layers\\.1\\..*\\.(k|o)_proj', ['1.self_attn.k_proj', '1.self_attn.o_proj']],
  ['model\\.layers\\.(?P<n>0)\\.mlp\\.down_proj', ['0.mlp.down_proj']],
]

test.each(targets)('target_modules %j names what PEFT names', (targetModules, suffixes) => {
  const model = tinyModel()
  attachAdapter(model, { ...LORA, targetModules }, 1)
  const names = [...model.adapter!.maps.keys()]
  for (const name of names) expect(suffixes.some((s) => name.endsWith(s))).toBe(true)
  for (const s of suffixes) expect(names.some((name) => name.endsWith(s))).toBe(true)
  model.dispose()
})

test('all-linear takes in the projections around the embedding of OPT, as PEFT does', () => {
  const model = loadModel(fixture('models/opt_postnorm'))
  attachAdapter(model, LORA, 1)
  const outer = [...model.adapter!.maps.keys()].filter((name) => !name.includes('.layers.'))
  expect(outer).toEqual(['model.decoder.project_in', 'model.decoder.project_out'])
  model.dispose()
})

test.each([
  [['q_proj', 'qq_proj'], /qq_proj/],
  [['input_layernorm'], /input_layernorm/],
  ['q_proj', /q_proj/],
  ['(', /regular/],
] as const)('target_modules %j that names nothing is refused', (targetModules, message) => {
  const model = tinyModel()
  expect(thrown(() => attachAdapter(model, { ...LORA, targetModules }, 1)).message).toMatch(message)
  expect(model.adapter).toBeUndefined()
  model.dispose()
})

test('scale is alpha / r, or alpha / sqrt(r) with rsLoRA; patterns give modules a rank and an alpha of their own', () => {
  const folder = temporaryFolder()
  const scales = (changes: object) => {
    const model = tinyModel()
    attachAdapter(model, { ...LORA, ...changes }, 1)
    const found = new Set(Array.from(model.adapter!.maps.values(), (m) => m.scale))
    model.dispose()
    return [...found]
  }
  expect(scales({})).toEqual([2])
  expect(scales({ useRslora: true })).toEqual([4])
  const model = tinyModel()
  attachAdapter(model, { ...LORA, targetModules: ['q_proj'] }, 1)
  write(folder, model)
  const config = JSON.parse(fs.readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
  const patterned = {
    ...config,
    rank_pattern: { 'layers.1.self_attn.q_proj': 4 },
    alpha_pattern: { '0.self_attn.q_proj': 2 },
    r: 4,
  }
  fs.writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(patterned))
  const again = tinyModel()
  loadAdapter(folder, again)
  expect(Array.from(again.adapter!.maps.values(), (m) => m.scale)).toEqual([0.5, 2])
  model.dispose()
  again.dispose()
})

test('modules_to_save are copies: the base keeps its own, which comes back while the adapter is off', () => {
  const before = memory().tensors
  const model = loadModel(base())
  const plain = numbers(model, [1, 2, 3])
  attachAdapter(model, { ...LORA, modulesToSave: ['lm_head', 'embed_tokens', 'input_layernorm'] }, 1)
  for (const name of ['lm_head', 'model.layers.0.input_layernorm']) {
    const copy = trainableWeights(model).get(`base_model.model.${name}.weight`)!
    noGrad(() => scope(() => void ops.zeroInPlace(copy)))
  }
  expect(new Set(numbers(model, [1, 2, 3]))).toEqual(new Set([0]))
  expect(withAdapterOff(model, () => numbers(model, [1, 2, 3]))).toEqual(plain)
  expect(new Set(numbers(model, [1, 2, 3]))).toEqual(new Set([0]))
  const folder = temporaryFolder()
  write(folder, model)
  const again = loadModel(base())
  loadAdapter(folder, again)
  expect(new Set(numbers(again, [1, 2, 3]))).toEqual(new Set([0]))
  const merged = mergeAdapter(again)
  expect(new Set(numbers(merged, [1, 2, 3]))).toEqual(new Set([0]))
  for (const m of [merged, again, model]) m.dispose()
  expect(memory().tensors).toBe(before)
})

test('tied embeddings trained whole stay one matrix, and the config says so', () => {
  const model = tinyModel()
  attachAdapter(model, { ...LORA, modulesToSave: ['embed_tokens'] }, 1)
  const folder = temporaryFolder()
  write(folder, model)
  const path = join(folder, 'adapter_config.json')
  const config = JSON.parse(fs.readFileSync(path, 'utf8'))
  expect(config).toMatchObject({ ensure_weight_tying: true, modules_to_save: ['embed_tokens'] })
  const file = openSafetensors(join(folder, 'adapter_model.safetensors'))
  expect([...file.entries.keys()].filter((name) => !name.includes('lora'))).toEqual([
    'base_model.model.lm_head.weight',
    'base_model.model.model.embed_tokens.weight',
  ])
  file.close()
  expect(model.output.weight).toBe(model.weights.get('model.embed_tokens.weight'))
  const again = tinyModel()
  loadAdapter(folder, again)
  expect(numbers(again, [1, 2])).toEqual(numbers(model, [1, 2]))
  fs.writeFileSync(path, JSON.stringify({ ...config, ensure_weight_tying: false }))
  const third = tinyModel()
  expect(thrown(() => loadAdapter(folder, third)).message).toMatch(/one matrix/)
  const head = { ...LORA, modulesToSave: ['lm_head'] }
  expect(thrown(() => attachAdapter(third, head, 1)).hint).toMatch(/embedding/)
  for (const m of [model, again, third]) m.dispose()
  const gpt2 = loadModel(fixture('models/gpt2'))
  expect(thrown(() => attachAdapter(gpt2, { ...LORA, modulesToSave: ['wte'] }, 1)).message).toMatch(
    /wte.*at once/,
  )
  gpt2.dispose()
})

test('a reward adapter carries its head, and stands on the backbone of the language model without a copy', () => {
  const before = memory().tensors
  const model = tinyModel()
  const own = bytesOf(model)
  const reward = rewardModelFrom(model, 3, { shared: true })
  attachAdapter(reward, LORA, 1)
  expect(reward.weights.get('model.embed_tokens.weight')).toBe(model.weights.get('model.embed_tokens.weight'))
  expect([...trainableWeights(reward).keys()].at(-1)).toBe('base_model.model.score.weight')
  const config = JSON.parse(Buffer.concat([...adapterFiles(reward)[0].chunks()]).toString())
  expect(config).toMatchObject({ task_type: 'SEQ_CLS', modules_to_save: ['classifier', 'score'] })
  reward.dispose()
  expect(bytesOf(model).equals(own)).toBe(true)
  model.dispose()
  expect(memory().tensors).toBe(before)
})

/** A folder with a valid adapter of the tiny model, changed before it is read. */
function refused(change: (config: Record<string, unknown>, folder: string) => object | undefined) {
  const folder = temporaryFolder()
  const model = tinyModel()
  attachAdapter(model, { ...LORA, targetModules: ['q_proj'] }, 1)
  write(folder, model)
  const path = join(folder, 'adapter_config.json')
  const config = JSON.parse(fs.readFileSync(path, 'utf8')) as Record<string, unknown>
  const changed = change(config, folder)
  if (changed) fs.writeFileSync(path, JSON.stringify(changed))
  const before = memory().tensors
  const fresh = tinyModel()
  const error = thrown(() => loadAdapter(folder, fresh))
  expect(error.exitCode).toBe(2)
  expect(fresh.adapter).toBeUndefined()
  fresh.dispose()
  expect(memory().tensors).toBe(before)
  model.dispose()
  return `${error.message}\n${error.hint}`
}

test.each([
  ['peft_type', 'PREFIX_TUNING'],
  ['use_dora', true],
  ['bias', 'all'],
  ['init_lora_weights', 'pissa'],
  ['layer_replication', [[0, 2]]],
  ['trainable_token_indices', [1]],
  ['some_new_method', { a: 1 }],
  ['r', 0],
  ['lora_dropout', 1],
  ['target_modules', ['nothing_here']],
  ['modules_to_save', ['nothing_there']],
])('adapter_config.json: %s: %j is refused by its name', (key, value) => {
  expect(refused((config) => ({ ...config, [key]: value }))).toContain(
    key === 'target_modules' ? 'nothing_here' : key,
  )
})

test('an adapter of another rank, other targets, another task, or a pickle is refused', () => {
  expect(refused((config) => ({ ...config, r: 8 }))).toMatch(/lora_A\.weight is \[4,32\], expected \[8,32\]/)
  expect(refused((config) => ({ ...config, target_modules: ['q_proj', 'k_proj'] }))).toMatch(
    /k_proj\.lora_A\.weight is missing/,
  )
  expect(refused((config) => ({ ...config, layers_to_transform: [0] }))).toMatch(/layers\.1\..*has no place/)
  expect(refused((config) => ({ ...config, task_type: 'SEQ_CLS' }))).toMatch(/reward model/)
  const broken = (_: unknown, folder: string) => {
    fs.writeFileSync(join(folder, 'adapter_config.json'), '{')
    return undefined
  }
  expect(refused(broken)).toMatch(/JSON/)
  const pickle = (_: unknown, folder: string) => {
    fs.renameSync(join(folder, 'adapter_model.safetensors'), join(folder, 'adapter_model.bin'))
    return undefined
  }
  expect(refused(pickle)).toMatch(/pickle, adapter_model\.bin/)
})

test('an adapter folder whose base is nowhere says which keys to give', () => {
  const folder = temporaryFolder()
  const model = tinyModel()
  attachAdapter(model, { ...LORA, base: 'org/somewhere-else' }, 1)
  write(folder, model)
  const error = thrown(() => loadModelFolder(folder))
  expect(`${error.message} ${error.hint}`).toMatch(
    /org\/somewhere-else.*model_name_or_path.*adapter_name_or_path/,
  )
  model.dispose()
})
