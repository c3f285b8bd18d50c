/** Adapters as PEFT wrote them (scripts/parity/h_adapters.py): embeddings, heads and whole modules, read, saved, merged, trained. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSafetensors, type SafetensorsFile } from '../../src/checkpoint/format/safetensors.js'
import { packLists } from '../../src/data/encode/pack.js'
import {
  adapterTensors,
  attachAdapter,
  trainableWeights,
  withAdapterOff,
  withDropout,
} from '../../src/models/adapters/adapter.js'
import { vocabularyOf } from '../../src/models/adapters/adapter-files.js'
import { baseFolderOf, loadAdapter, loadModelFolder } from '../../src/models/adapters/adapter-load.js'
import { largestDifference, mergeAdapter } from '../../src/models/adapters/adapter-merge.js'
import { adapterFiles } from '../../src/models/adapters/adapter-save.js'
import { type Decoder, decode, logits } from '../../src/models/decoder/decoder.js'
import { candidateLogProbs } from '../../src/models/decoder/score.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { modelFiles } from '../../src/models/folders/save-model.js'
import { singleSequence } from '../../src/nn/layout.js'
import {
  Generator,
  gradients,
  memory,
  noGrad,
  ops,
  requiresGrad,
  scope,
  type Tensor,
} from '../../src/tensor/index.js'
import { fixture, maxDifference } from '../fixtures.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { randomItems, tinyModel } from '../train/tiny.js'

const IDS = [1, 5, 9, 2, 7, 3]
const CASES = fs.readdirSync(fixture('peft'))
const folderOf = (name: string) => fixture(`peft/${name}`)
const LORA = { r: 2, alpha: 4, dropout: 0, useRslora: false, modulesToSave: [] }

const numbers = (model: Decoder, ids = IDS) =>
  noGrad(() => scope(() => logits(model, decode(model, singleSequence(ids))).numbers()))

function bytesOf(file: SafetensorsFile, name: string): Uint8Array {
  const { begin, end } = file.entries.get(name)!
  const bytes = new Uint8Array(end - begin)
  file.readInto(name, bytes)
  return bytes
}

function expected(name: string): number[] {
  const file = openSafetensors(join(folderOf(name), 'expected.safetensors'))
  const bytes = bytesOf(file, 'logits')
  file.close()
  return Array.from(new Float32Array(bytes.buffer))
}

function write(files: ReturnType<typeof adapterFiles>, folder = temporaryFolder()): string {
  for (const { path, chunks } of files) fs.writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
  return folder
}

test.each(CASES)(
  "%s: logits are PEFT's, read, saved and read again, merged, and merged on the disk",
  (name) => {
    const before = memory().tensors
    const model = loadModelFolder(folderOf(name))
    expect(maxDifference(numbers(model), expected(name))).toBeLessThan(1e-4)
    const again = loadModelFolder(write(adapterFiles(model)))
    expect(numbers(again)).toEqual(numbers(model))
    const merged = mergeAdapter(model)
    const { largest, scale } = largestDifference(model, merged)
    expect(largest).toBeLessThan(1e-4 * Math.max(1, scale))
    const whole = loadModelFolder(write(modelFiles(merged)))
    expect(maxDifference(numbers(whole), expected(name))).toBeLessThan(2e-4)
    expect(
      maxDifference(
        withAdapterOff(model, () => numbers(model)),
        expected(name),
      ),
    ).toBeGreaterThan(1e-2)
    expect(maxDifference(numbers(model), expected(name))).toBeLessThan(1e-4)
    for (const one of [whole, merged, again, model]) one.dispose()
    expect(memory().tensors).toBe(before)
  },
)

test.each(CASES)('%s: saved again, every tensor is one that PEFT wrote, with its bytes', (name) => {
  const model = loadModelFolder(folderOf(name))
  const [ours, theirs] = [write(adapterFiles(model)), folderOf(name)].map((folder) =>
    openSafetensors(join(folder, 'adapter_model.safetensors')),
  )
  for (const key of ours.entries.keys()) {
    expect(theirs.entries.has(key)).toBe(true)
    expect([key, Buffer.compare(bytesOf(ours, key), bytesOf(theirs, key))]).toEqual([key, 0])
  }
  const lora = (file: SafetensorsFile) =>
    [...file.entries.keys()].filter((key) => key.includes('lora_')).sort()
  expect(lora(ours)).toEqual(lora(theirs))
  ours.close()
  theirs.close()
  model.dispose()
})

test.each([4, 8] as const)('embedding and head with low-rank maps beside a base in %d bits', (bits) => {
  for (const name of ['lora_both', 'lora_head_tied', 'embeddings', 'lora_embedding_tied']) {
    const model = loadModelFolder(folderOf(name), 'f32', { mapped: true, quantized: { bits, which: 'all' } })
    const wide = loadModelFolder(folderOf(name))
    const far = maxDifference(numbers(model), numbers(wide))
    expect(far).toBeGreaterThan(0)
    expect(far).toBeLessThan(Math.max(...numbers(wide).map(Math.abs)))
    model.dispose()
    wide.dispose()
  }
})

test.each(CASES)(
  '%s: the header of its file tells the rows of embedding and head, as a plan needs them',
  (name) => {
    const [base, whole] = [loadModel(baseFolderOf(folderOf(name))), loadModelFolder(folderOf(name))]
    expect(vocabularyOf(folderOf(name), base)).toBe(whole.config.vocabSize)
    if (name === 'more_rows') expect([base.config.vocabSize, whole.config.vocabSize]).toEqual([128, 140])
    base.dispose()
    whole.dispose()
  },
)

test('more rows than the base has, whose head is in 8 bits, are refused with the way out', () => {
  const load = () =>
    loadModelFolder(folderOf('more_rows'), 'f32', { mapped: true, quantized: { bits: 8, which: 'all' } })
  const before = memory().tensors
  const error = thrown(load)
  expect(error.message).toMatch(/140 rows.*128.*8 bits/)
  expect(error.hint).toMatch(/load_in_8bit/)
  expect(memory().tensors).toBe(before)
})

test('rows of one matrix alone, or an embedding beside another head of a tied base, are refused', () => {
  const copy = (
    name: string,
    change: (file: Map<string, { shape: number[]; bytes: Uint8Array }>) => void,
  ) => {
    const folder = temporaryFolder()
    fs.cpSync(folderOf(name), folder, { recursive: true })
    const path = join(folder, 'adapter_model.safetensors')
    const file = openSafetensors(path)
    const tensors = new Map(
      Array.from(file.entries, ([key, { shape }]) => [key, { shape: [...shape], bytes: bytesOf(file, key) }]),
    )
    file.close()
    change(tensors)
    let at = 0
    const header = Object.fromEntries(
      Array.from(tensors, ([key, { shape, bytes }]) => {
        const place = { dtype: 'F32', shape, data_offsets: [at, at + bytes.length] }
        at += bytes.length
        return [key, place]
      }),
    )
    const text = JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 8) * 8)
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(BigInt(text.length))
    fs.writeFileSync(
      path,
      Buffer.concat([size, Buffer.from(text), ...Array.from(tensors.values(), (t) => t.bytes)]),
    )
    return folder
  }
  const refusal = (folder: string, base: string) => {
    const model = loadModel(fixture(`models/${base}`))
    const { message, exitCode } = thrown(() => loadAdapter(folder, model))
    expect(exitCode).toBe(2)
    expect(model.adapter).toBeUndefined()
    model.dispose()
    return message
  }
  const alone = copy('more_rows', (tensors) => tensors.delete('base_model.model.lm_head.weight'))
  expect(refusal(alone, 'llama_gqa')).toMatch(/embed_tokens\.weight is \[140,32\], expected \[128,32\]/)
  const apart = copy('embeddings_tied', (tensors) => {
    tensors.get('base_model.model.lm_head.weight')!.bytes[0] ^= 1
  })
  expect(refusal(apart, 'llama_tied')).toMatch(/holds the embedding apart from the LM head/)
  const headAlone = copy('embeddings_tied', () => {})
  const config = join(headAlone, 'adapter_config.json')
  const said = { ...JSON.parse(fs.readFileSync(config, 'utf8')), modules_to_save: ['lm_head'] }
  fs.writeFileSync(config, JSON.stringify(said))
  expect(refusal(headAlone, 'llama_tied')).toContain(
    `${headAlone}: modules_to_save trains the embedding apart`,
  )
})

test('a fresh adapter on embedding and head changes nothing; scores are those of its logits, with dropout too', () => {
  const model = tinyModel()
  const before = numbers(model)
  attachAdapter(model, { ...LORA, dropout: 0.5, targetModules: ['q_proj', 'embed_tokens', 'lm_head'] }, 1)
  expect(numbers(model)).toEqual(before)
  const generator = new Generator(2)
  noGrad(() =>
    scope(() =>
      adapterTensors(model.adapter!).forEach(
        (t) => void ops.copyInPlace(t, ops.randn(t.shape, generator, 'f32')),
      ),
    ),
  )
  generator.dispose()
  const [batch] = packLists(
    randomItems(3, 'scores').map(({ encoded }) => encoded),
    { maxTokens: 1e6, lastToken: false },
  )
  const sums = () => noGrad(() => scope(() => candidateLogProbs(model, batch).sum.numbers()))
  const merged = mergeAdapter(model)
  const own = sums()
  const plain = noGrad(() => scope(() => candidateLogProbs(merged, batch).sum.numbers()))
  expect(maxDifference(own, plain)).toBeLessThan(1e-3)
  const noisy = withDropout(model, 'step', sums)
  expect(noisy).not.toEqual(own)
  expect(withDropout(model, 'step', sums)).toEqual(noisy)
  merged.dispose()
  model.dispose()
})

test('gradients of the maps of embedding and head are the slopes of the loss', () => {
  const model = tinyModel('lm', 1, 'f64')
  attachAdapter(model, { ...LORA, targetModules: ['embed_tokens', 'lm_head'] }, 1)
  const generator = new Generator(2)
  const weights = [...trainableWeights(model).values()]
  noGrad(() =>
    scope(() =>
      weights.forEach((t) => void ops.copyInPlace(t, ops.to(ops.randn(t.shape, generator, 'f32'), 'f64'))),
    ),
  )
  generator.dispose()
  const [batch] = packLists(
    randomItems(2, 'slopes').map(({ encoded }) => encoded),
    { maxTokens: 1e6, lastToken: false },
  )
  const loss = () => ops.sum(candidateLogProbs(model, batch).sum)
  const value = () => noGrad(() => scope(() => loss().item()))
  const slopes = scope(() => {
    for (const weight of weights) requiresGrad(weight)
    return gradients([loss()], weights).map((g) => (g as Tensor).numbers())
  })
  for (const [i, weight] of weights.entries()) {
    const place = slopes[i].findIndex((g) => Math.abs(g) > 1e-6)
    const bytes = new Float64Array(weight.bytes().buffer, weight.bytes().byteOffset, slopes[i].length)
    const at = bytes[place]
    bytes[place] = at + 1e-5
    const up = value()
    bytes[place] = at - 1e-5
    const down = value()
    bytes[place] = at
    expect(slopes[i][place]).toBeCloseTo((up - down) / 2e-5, 4)
  }
  model.dispose()
})
