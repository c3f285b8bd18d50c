import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exportModel } from '../../src/commands/export/export-model.js'
import { importModel } from '../../src/commands/import/import-model.js'
import { loadModelFolder } from '../../src/models/adapters/adapter-load.js'
import { dequantize } from '../../src/models/gguf/format/dequantize.js'
import { openGguf } from '../../src/models/gguf/format/gguf-file.js'
import { resolveModel } from '../../src/session/names/resolve-names.js'
import { createUi } from '../../src/terminal/ui.js'
import { saveTokenizer, trainByteLevelBpe } from '../../src/text/bpe-train.js'
import { temporaryFolder } from '../helpers/folders.js'
import { Sink } from '../helpers/sink.js'

const sink = new Sink()
const ui = createUi({ stream: sink })

/** llama_gqa of the fixtures, with a tokenizer as small as its embedding: the bytes that it lacks are left out of texts. */
async function folderOf(fixture = 'llama_gqa'): Promise<string> {
  const folder = join(temporaryFolder(), 'model')
  cpSync(join('test/fixtures/models', fixture), folder, { recursive: true })
  const made = trainByteLevelBpe(['abc'], { vocabSize: 257, specialTokens: ['<|endoftext|>'] })
  const printable = Object.keys(made.model.vocab).filter((token) => /^[!-~Ġ]$/.test(token))
  const vocab = Object.fromEntries(['<|endoftext|>', ...printable].map((token, id) => [token, id]))
  await saveTokenizer(folder, { ...made, model: { ...made.model, vocab, merges: [] } })
  return folder
}

describe('clha export', () => {
  it('writes file and Modelfile, and says how far the file is from the model', async () => {
    const model = await folderOf()
    const { file, check, modelfile } = await exportModel({ model, to: 'gguf', type: 'f32' }, ui)
    expect(file).toBe(join(`${model}-gguf`, 'model-f32.gguf'))
    expect(check?.tokens).toBeGreaterThan(100)
    expect(check?.difference).toBeLessThan(1e-5)
    expect(check?.same).toBe(1)
    expect(readFileSync(modelfile, 'utf8')).toContain(
      'PARAMETER stop "<|endoftext|>"\nPARAMETER stop "\\n\\nHuman:"',
    )
    expect(readdirSync(`${model}-gguf`).sort()).toEqual(['Modelfile', 'model-f32.gguf'])
  })

  it('a file that says something else than the model is found out', async () => {
    const model = await folderOf()
    // A tensor's rows in the wrong order: what a wrong map of names or heads comes to.
    const { file } = await exportModel({ model, to: 'gguf', type: 'f32', check: false }, ui)
    const head = openGguf(file)
    const { begin, end } = head.tensors.get('blk.0.ffn_down.weight') as { begin: number; end: number }
    head.close()
    const bytes = readFileSync(file)
    bytes.subarray(begin, end).fill(0)
    writeFileSync(file, bytes)
    const { checkExport } = await import('../../src/commands/export/check-export.js')
    await expect(checkExport(model, file, 'f32')).rejects.toMatchObject({ exitCode: 5 })
    // Cut short it can't be read at all: no bad input either, the file is ours.
    writeFileSync(file, bytes.subarray(0, 1000))
    await expect(checkExport(model, file, 'f32', 'it')).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringMatching(/^can't be read back: it/),
    })
    expect(readdirSync(`${model}-gguf`).sort()).toEqual(['Modelfile', 'model-f32.gguf'])
  })

  it('a file that does not say what the model says is not written, and an earlier one stays', async () => {
    const model = await folderOf()
    // Logits so far apart that half precision changes them by more than it may.
    const path = join(model, 'model.safetensors')
    const weights = readFileSync(path)
    const length = Number(weights.readBigUInt64LE(0))
    const header = JSON.parse(weights.subarray(8, 8 + length).toString())
    const [begin, end] = header['lm_head.weight'].data_offsets.map((at: number) => 8 + length + at)
    for (let at = begin; at < end; at += 4) weights.writeFloatLE(1000 * weights.readFloatLE(at), at)
    writeFileSync(path, weights)
    const output = join(model, '..', 'out')
    mkdirSync(output)
    writeFileSync(join(output, 'model-f16.gguf'), 'an earlier one')
    const failed = exportModel({ model, to: 'gguf', type: 'f16', output }, ui)
    await expect(failed).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringContaining(join(output, 'model-f16.gguf: its log-probabilities differ')),
      hint: expect.stringContaining('nothing was written'),
    })
    expect(readdirSync(output)).toEqual(['model-f16.gguf'])
    expect(readFileSync(join(output, 'model-f16.gguf'), 'utf8')).toBe('an earlier one')
  })

  it('the file of a run has the name of the run, not of the checkpoint that was taken', async () => {
    const model = join(temporaryFolder(), 'my')
    cpSync('test/fixtures/released/0.1.0/run', model, { recursive: true })
    const { file, modelfile } = await exportModel({ model, to: 'gguf', check: false }, ui)
    expect(file).toBe(join(`${model}-gguf`, 'my-f16.gguf'))
    expect(readFileSync(modelfile, 'utf8')).toMatch(/^FROM \.\/my-f16\.gguf\n/)
    const head = openGguf(file)
    expect(head.metadata.get('general.name')?.value).toBe('my')
    head.close()
  })

  it.each([
    [{ to: 'onnx' }, '--to onnx: no such format'],
    [{ to: 'gguf', type: 'q2_k' }, '--type q2_k: no such type'],
  ])('%j is refused', async (given, message) => {
    await expect(exportModel({ model: await folderOf(), ...given }, ui)).rejects.toThrow(message)
  })

  it('a reward model is refused', async () => {
    const model = await folderOf('rm_llama')
    await expect(exportModel({ model, to: 'gguf' }, ui)).rejects.toThrow('a reward model is not exported')
  })
})

describe('an adapter', () => {
  /** The recorded adapter of llama_gqa, with other settings. */
  async function adapterOf(changes: object): Promise<string> {
    const base = await folderOf()
    const folder = join(base, '..', 'adapter')
    cpSync('test/fixtures/models/lora_qv/adapter', folder, { recursive: true })
    const path = join(folder, 'adapter_config.json')
    const config = JSON.parse(readFileSync(path, 'utf8')) as object
    writeFileSync(path, JSON.stringify({ ...config, base_model_name_or_path: base, ...changes }))
    return folder
  }

  it('becomes a LoRA file: alpha, low-rank maps under the names of the matrices, rows as these have them', async () => {
    const model = await adapterOf({})
    const { file, isAdapter, modelfile } = await exportModel({ model, to: 'gguf', type: 'f32' }, ui)
    expect(isAdapter).toBe(true)
    expect(readFileSync(modelfile, 'utf8')).toContain('FROM ./model-f32.gguf\nADAPTER ./adapter-f32.gguf\n')
    const head = openGguf(file)
    const values = (key: string) => head.metadata.get(key)?.value
    expect(['general.type', 'adapter.type', 'adapter.lora.alpha'].map(values)).toEqual([
      'adapter',
      'lora',
      12,
    ])
    const tensor = head.tensors.get('blk.0.attn_q.weight.lora_b')
    expect(tensor?.shape).toEqual([32, 8])
    const rows = new Float32Array(32 * 8)
    dequantize('F32', head.read(tensor as never), rows)
    head.close()
    const decoder = loadModelFolder(model)
    const own = new Float32Array(
      decoder.adapter?.maps.get('model.layers.0.self_attn.q_proj')?.b.bytes().slice().buffer as ArrayBuffer,
    )
    decoder.dispose()
    // Heads of 8: rows 0, 4, 1, 5, 2, … of ours.
    const row = (all: Float32Array, i: number) => [...all.subarray(8 * i, 8 * i + 8)]
    expect([0, 1, 2, 3, 8, 9].map((i) => row(rows, i))).toEqual([0, 4, 1, 5, 8, 12].map((i) => row(own, i)))
  })

  it('of the same name as its base gets a file of its own', async () => {
    const adapter = await adapterOf({})
    const model = join(adapter, '..', 'others', 'model')
    cpSync(adapter, model, { recursive: true })
    const output = join(adapter, '..', 'out')
    const { file, modelfile } = await exportModel({ model, to: 'gguf', output }, ui)
    expect(file).toBe(join(output, 'model-adapter-f16.gguf'))
    expect(readFileSync(modelfile, 'utf8')).toContain(
      'FROM ./model-f16.gguf\nADAPTER ./model-adapter-f16.gguf\n',
    )
  })

  it('scaled by alpha / √r carries the alpha that llama.cpp divides by r', async () => {
    const { file } = await exportModel({ model: await adapterOf({ use_rslora: true }), to: 'gguf' }, ui)
    const head = openGguf(file)
    expect(head.metadata.get('adapter.lora.alpha')?.value).toBeCloseTo(12 * Math.sqrt(8), 4)
    head.close()
  })

  it.each([
    [{ rank_pattern: { 'layers.0': 4 } }, '"rank_pattern" is not exported'],
    [{ alpha_pattern: { 'layers.0': 4 } }, '"alpha_pattern" is not exported'],
    [{ modules_to_save: ['lm_head'] }, '"modules_to_save" is not exported'],
    [{ use_dora: true }, '"use_dora": true is not supported'],
  ])('with %j is refused', async (changes, message) => {
    await expect(exportModel({ model: await adapterOf(changes), to: 'gguf' }, ui)).rejects.toThrow(message)
  })
})

describe('a GGUF file as a model', () => {
  it('clha import writes a folder that loads, and no second time into it', async () => {
    const model = await folderOf()
    const { file } = await exportModel({ model, to: 'gguf', type: 'f16', check: false }, ui)
    const folder = join(model, '..', 'imported')
    const imported = await importModel({ file, folder, dtype: 'float32' }, ui)
    expect(imported).toMatchObject({ architecture: 'llama', modelType: 'llama', dtype: 'float32' })
    loadModelFolder(folder).dispose()
    await expect(importModel({ file, folder }, ui)).rejects.toThrow('not empty')
    await expect(importModel({ file, folder: `${folder}-2`, dtype: 'int8' }, ui)).rejects.toThrow(
      '--dtype int8',
    )
  })

  it('named where a model is named, it is imported once', async () => {
    const model = await folderOf()
    const { file } = await exportModel({ model, to: 'gguf', type: 'f32', check: false }, ui)
    process.env.CLHA_CACHE = join(model, '..', 'cache')
    try {
      const { folder } = await resolveModel(file, { ui })
      expect(existsSync(join(folder, 'config.json'))).toBe(true)
      sink.text = ''
      expect((await resolveModel(file, { ui })).folder).toBe(folder)
      expect(sink.text).toBe('')
    } finally {
      delete process.env.CLHA_CACHE
    }
  })
})
