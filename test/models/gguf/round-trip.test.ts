import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openModelFiles } from '../../../src/checkpoint/format/sharded-model.js'
import { DiskStorage } from '../../../src/files/storage.js'
import { writeFolder } from '../../../src/files/whole.js'
import { initModel } from '../../../src/models/decoder/init.js'
import { decoderConfig } from '../../../src/models/families/families.js'
import { readHfConfig } from '../../../src/models/folders/load-model.js'
import { modelFiles } from '../../../src/models/folders/save-model.js'
import { exportGguf } from '../../../src/models/gguf/export-gguf.js'
import { openGguf } from '../../../src/models/gguf/format/gguf-file.js'
import { ggufChunks } from '../../../src/models/gguf/format/gguf-write.js'
import { importGguf } from '../../../src/models/gguf/import-gguf.js'
import { inverseFrequencies } from '../../../src/nn/rotary.js'
import { saveTokenizer, trainByteLevelBpe } from '../../../src/text/bpe-train.js'
import { loadTokenizer } from '../../../src/text/tokenizer.js'
import { temporaryFolder } from '../../helpers/folders.js'

const TEXTS = ['It takes 1234 words, or so.\n\nNo more: naïve — 你好 🙂', '<|im_start|>user\nHi<|im_end|>']
const ROWS = 320

/** A folder with random weights of a fixture's family, and a small tokenizer. */
async function modelFolder(fixture: string, changes: object): Promise<string> {
  const folder = join(temporaryFolder(), 'model')
  const config = { ...readHfConfig(join('test/fixtures/models', fixture)), vocab_size: ROWS, ...changes }
  const model = initModel(
    { ...config, bos_token_id: null, eos_token_id: null, pad_token_id: null },
    7,
    'lm',
    'f32',
  )
  writeFolder(new DiskStorage(), folder, modelFiles(model))
  model.dispose()
  const specialTokens = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
  await saveTokenizer(folder, trainByteLevelBpe([...TEXTS, ...TEXTS], { vocabSize: 280, specialTokens }))
  return folder
}

const shapeOf = (folder: string) => {
  const { initializerRange: _, family: __, ...config } = decoderConfig(readHfConfig(folder))
  return config
}

/** Every tensor of a folder's weights, as text of its bytes. */
function bytesOf(folder: string): Record<string, string> {
  const files = openModelFiles(folder)
  const all = [...files.entries].map(([name, { begin, end }]) => {
    const bytes = new Uint8Array(end - begin)
    files.readInto(name, bytes)
    return [name, Buffer.from(bytes).toString('base64')]
  })
  files.close()
  return Object.fromEntries(all)
}

const SCALE = { query_pre_attn_scalar: 8 } // of heads of 8: the only one that llama.cpp computes

describe('a model that is exported in f32 and imported again', () => {
  it.each([
    ['llama_gqa', {}],
    ['llama_bias', {}],
    ['llama_tied', {}],
    ['llama_rope_llama3', {}],
    [
      'llama_rope_llama3',
      {
        head_dim: 64,
        rope_parameters: {
          rope_type: 'llama3',
          rope_theta: 500000,
          factor: 32,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 8192,
        },
      },
    ],
    ['llama_gqa', { rope_parameters: { rope_type: 'linear', rope_theta: 5000, factor: 4 } }],
    ['mistral_swa', { sliding_window: null }],
    ['qwen2', {}],
    ['qwen3', {}],
    ['gemma2', SCALE],
    ['gemma3_text', SCALE],
    ['gemma3_text', { ...SCALE, layer_types: Array(3).fill('full_attention') }],
    ['phi3', { partial_rotary_factor: 0.5, rope_parameters: null }],
    ['gpt_neox_parallel', {}],
    ['gpt_neox_sequential', {}],
    ['gpt_neox_parallel', { rope_parameters: null, rope_scaling: { type: 'linear', factor: 4 } }],
    ['gpt2', {}],
  ])('%s with %j is the same model', async (fixture, changes) => {
    const folder = await modelFolder(fixture, changes)
    const output = join(folder, '..', 'out')
    const back = join(folder, '..', 'back')
    const { file, warnings } = await exportGguf(folder, { type: 'f32', output })
    expect(warnings).toEqual([])
    await importGguf(file, back)
    const [before, after] = [shapeOf(folder), shapeOf(back)]
    if (fixture === 'gemma3_text' && !before.layerKinds[0].window) after.layerKinds = before.layerKinds
    expect(after).toEqual(before)
    expect(bytesOf(back)).toEqual(bytesOf(folder))
    const [ours, read] = await Promise.all([folder, back].map(loadTokenizer))
    expect(read.addsBos).toBe(ours.addsBos)
    expect([...read.specialTokens]).toEqual([...ours.specialTokens])
    expect(read.stopIds).toEqual(ours.stopIds)
    for (const text of TEXTS) expect((await read.encode(text)).ids).toEqual((await ours.encode(text)).ids)
  })

  it('half precision stays what it was, and can be asked for', async () => {
    const folder = await modelFolder('llama_gqa', {})
    const { file } = await exportGguf(folder, { type: 'f16', output: join(folder, '..', 'out') })
    const kept = await importGguf(file, join(folder, '..', 'kept'))
    expect(kept).toMatchObject({ architecture: 'llama', modelType: 'llama', dtype: 'float16' })
    const asked = await importGguf(file, join(folder, '..', 'asked'), { dtype: 'BF16' })
    expect(asked.dtype).toBe('bfloat16')
    expect(JSON.parse(readFileSync(join(folder, '..', 'asked', 'config.json'), 'utf8')).dtype).toBe(
      'bfloat16',
    )
  })
})

describe('an import refuses by name', () => {
  it.each([
    ['general.architecture', 'mamba', 'general.architecture "mamba" is not read'],
    ['general.type', 'adapter', 'general.type "adapter", not a model'],
    ['llama.rope.scaling.type', 'yarn', '"llama.rope.scaling.type" must be "none" or "linear"; found "yarn"'],
    ['llama.logit_scale', 0.25, '"llama.logit_scale": 0.25 is not known here'],
    ['llama.attention.causal', false, '"llama.attention.causal" must be true'],
    ['llama.expert_count', 8, '"llama.expert_count": 8 is not known here'],
    ['llama.rope.dimension_count', 4, '"llama.rope.dimension_count" must be 8'],
    ['llama.attention.head_count', 5, 'must be'],
    ['tokenizer.ggml.model', 'bert', '"tokenizer.ggml.model": "bert" is not read'],
    ['tokenizer.ggml.pre', 'default', '"tokenizer.ggml.pre" "default" is not known'],
    ['tokenizer.ggml.eos_token_id', 5000, 'must be below'],
    ['split.count', 3, 'one of 3 files of a model'],
  ])('%s: %j', async (key, value, message) => {
    const folder = await modelFolder('llama_gqa', {})
    const { file } = await exportGguf(folder, { type: 'f32', output: join(folder, '..', 'out') })
    const path = withKey(file, key, value)
    await expect(importGguf(path, join(folder, '..', 'back'))).rejects.toThrow(message)
  })
})

/** The file with one key set, rewritten by hand. */
function withKey(file: string, key: string, value: string | number | boolean): string {
  const head = openGguf(file)
  const entries = new Map(head.metadata)
  const number = Number.isInteger(value) ? 'uint32' : 'float32'
  const type = typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : number
  entries.set(key, { type, value })
  const tensors = [...head.tensors].map(([name, tensor]) => {
    const bytes = head.read(tensor)
    return { name, type: tensor.type, shape: tensor.shape, bytes: () => bytes }
  })
  head.close()
  const path = `${file}.changed.gguf`
  writeFileSync(path, Buffer.concat([...ggufChunks([...entries], tensors)]))
  return path
}

it('frequencies scaled by unusual settings give the same frequencies', async () => {
  const scaling = {
    factor: 6,
    low_freq_factor: 1.5,
    high_freq_factor: 5,
    original_max_position_embeddings: 3000,
  }
  const rope_parameters = { rope_type: 'llama3', rope_theta: 500_000, ...scaling }
  const folder = await modelFolder('llama_gqa', { head_dim: 128, rope_parameters })
  const { file } = await exportGguf(folder, { type: 'f32', output: join(folder, '..', 'out') })
  await importGguf(file, join(folder, '..', 'back'))
  const [before, after] = [folder, join(folder, '..', 'back')].map((f) =>
    inverseFrequencies(shapeOf(f).ropes[0]),
  )
  expect(after).toHaveLength(64)
  for (const [i, frequency] of after.entries()) expect(frequency / before[i]).toBeCloseTo(1, 4)
})
