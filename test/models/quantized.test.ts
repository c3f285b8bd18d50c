/** Models with matrices in 8 or 4 bits: loaded, compared with themselves, trained under an adapter. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openSafetensors } from '../../src/checkpoint/format/safetensors.js'
import { attachAdapter, trainableWeights } from '../../src/models/adapters/adapter.js'
import { loadModelFolder } from '../../src/models/adapters/adapter-load.js'
import { mergeAdapter } from '../../src/models/adapters/adapter-merge.js'
import { adapterFiles } from '../../src/models/adapters/adapter-save.js'
import {
  type Decoder,
  decode,
  logits,
  parameterCount,
  targetLogProbs,
} from '../../src/models/decoder/decoder.js'
import { initModel, rewardModelFrom } from '../../src/models/decoder/init.js'
import {
  type Bits,
  bitsOf,
  type Quantized,
  quantizedWeights,
  weightBytes,
} from '../../src/models/decoder/quantized.js'
import { loadModel, readHfConfig } from '../../src/models/folders/load-model.js'
import { loadRewardScorer } from '../../src/models/folders/load-reward.js'
import { modelFiles } from '../../src/models/folders/save-model.js'
import { shapedModel } from '../../src/models/folders/shapes.js'
import { singleSequence } from '../../src/nn/layout.js'
import { shapeOf } from '../../src/nn/projection.js'
import { modelShape } from '../../src/plan/shape.js'
import {
  backward,
  type DType,
  fromData,
  gradOf,
  i64,
  memory,
  noGrad,
  ops,
  requiresGrad,
  scope,
  setGrad,
} from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { copyOfBytes } from '../helpers/numbers.js'

const IDS = [5, 9, 2, 40, 17, 33, 8, 21]
const LORA = { r: 4, alpha: 8, dropout: 0, targetModules: 'all-linear', useRslora: false, modulesToSave: [] }
const load = (name: string, quantized?: Quantized) =>
  loadModelFolder(fixture(`models/${name}`), 'f32', { quantized })
const logitsOf = (model: Decoder) =>
  noGrad(() => scope(() => logits(model, decode(model, singleSequence(IDS))).numbers()))

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, v, i) => sum + v * y[i], 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

/** Cosine of logits, in models as small as these. */
const CLOSE: Record<Bits, number> = { 8: 0.995, 4: 0.75 }

/** A model large enough that its matrices are what its memory is. */
function stored(dtype: DType, settings: object = {}): string {
  const sizes = { hidden_size: 512, intermediate_size: 1024, num_hidden_layers: 12, num_attention_heads: 8 }
  const model = initModel(
    { ...readHfConfig(fixture('models/llama_gqa')), ...sizes, ...settings },
    1,
    'lm',
    dtype,
  )
  const folder = temporaryFolder()
  for (const file of modelFiles(model))
    fs.writeFileSync(join(folder, file.path), Buffer.concat([...file.chunks()]))
  model.dispose()
  return folder
}

describe.each<Bits>([8, 4])('%i bits', (bits) => {
  test.each(['llama_gqa', 'llama_tied', 'gpt2', 'opt', 'gpt_neox_parallel', 'phi3', 'gemma2', 'qwen3'])(
    '%s: logits stay close, log-probabilities are theirs, and nothing is left behind',
    (name) => {
      const before = memory().tensors
      const [plain, narrow] = [load(name), load(name, { bits, which: 'all' })]
      const expected = logitsOf(plain)
      const found = logitsOf(narrow)
      expect(cosine(found, expected)).toBeGreaterThan(CLOSE[bits])
      expect(found).not.toEqual(expected)
      expect(parameterCount(narrow)).toBe(parameterCount(plain))
      expect(narrow.quantizedOutput !== undefined).toBe(narrow.config.tieWordEmbeddings)
      noGrad(() =>
        scope(() => {
          const hidden = decode(narrow, singleSequence(IDS))
          const [logp, hits] = targetLogProbs(narrow, hidden, i64(IDS))
          const all = ops.logSoftmax(logits(narrow, hidden), 1)
          const width = all.shape[1]
          const values = all.numbers()
          logp.numbers().forEach((value, row) => {
            expect(value).toBeCloseTo(values[row * width + IDS[row]], 5)
          })
          const first = ops.argmax(all, 1).numbers()
          expect(hits.numbers()).toEqual(IDS.map((id, i) => Number(id === first[i])))
        }),
      )
      for (const model of [plain, narrow]) model.dispose()
      expect(memory().tensors).toBe(before)
    },
  )

  test.each(['llama_gqa', 'gpt2', 'gemma2'])(
    '%s: the model whose matrices hold the rounded numbers',
    (name) => {
      const [wide, narrow] = [load(name), load(name, { bits, which: 'blocks' })]
      for (const [weight, scale] of narrow.scales)
        noGrad(() =>
          scope(() => {
            const [, columns] = shapeOf(narrow.weights.get(weight)!)
            const unit = Float32Array.from({ length: columns ** 2 }, (_, i) =>
              Number(i % (columns + 1) === 0),
            )
            const x = fromData(unit, [columns, columns])
            const rounded = ops.linearQuantizedComposed(x, narrow.weights.get(weight)!, scale)
            ops.copyInPlace(wide.weights.get(weight)!, ops.transpose(rounded, 0, 1))
          }),
        )
      const expected = logitsOf(wide)
      const largest = Math.max(...expected.map(Math.abs))
      logitsOf(narrow).forEach((value, i) => {
        expect(Math.abs(value - expected[i])).toBeLessThan(1e-4 * largest)
      })
      for (const model of [wide, narrow]) model.dispose()
    },
  )

  test('what is narrow: the linear maps of the blocks, and the LM head of its own where nobody trains', () => {
    for (const [which, head] of [
      ['blocks', false],
      ['all', true],
    ] as const) {
      const model = load('llama_gqa', { bits, which })
      const names = [...model.weights]
        .filter(([, { dtype }]) => dtype === (bits === 8 ? 'i8' : 'u8'))
        .map(([name]) => name)
      expect(new Set(names)).toEqual(quantizedWeights(model.config, 'lm', { bits, which }))
      expect(bitsOf(model)).toBe(bits)
      expect(names.length).toBe(7 * model.config.layers + Number(head))
      expect(names.includes('lm_head.weight')).toBe(head)
      expect(model.embedding.dtype).toBe('f32')
      model.dispose()
    }
  })

  test.each(['f32', 'bf16'] as const)(
    'loading from %s peaks at little more than what is held, a quarter or an eighth of the numbers in f32; a plan says the same',
    (dtype) => {
      const folder = stored(dtype, { num_hidden_layers: 24, vocab_size: 256 })
      const before = memory({ resetPeak: true }).bytes
      const model = loadModel(folder, 'f32', false, { bits, which: 'blocks' })
      const { bytes, peakBytes } = memory()
      const held = bytes - before
      expect(held).toBe(weightBytes(model))
      expect(held / (4 * parameterCount(model))).toBeLessThan(bits === 8 ? 0.27 : 0.145)
      expect((peakBytes - before) / held).toBeLessThan(bits === 8 ? 1.1 : 1.15)
      const shapes = shapedModel(readHfConfig(folder), 'lm', 'f32', undefined, { bits, which: 'blocks' })
      expect(modelShape(shapes)).toEqual(modelShape(model))
      expect(modelShape(shapes).weightBytes).toBe(held)
      for (const m of [model, shapes]) m.dispose()
    },
  )

  test('it is neither saved, nor merged, nor copied for a reward model; a narrow matrix is not trained whole', () => {
    const model = load('llama_gqa', { bits, which: 'blocks' })
    expect(thrown(() => modelFiles(model)).message).toContain(`in ${bits} bits`)
    expect(thrown(() => rewardModelFrom(model, 1)).message).toContain(`in ${bits} bits`)
    const whole = { ...LORA, modulesToSave: ['down_proj'] }
    expect(thrown(() => attachAdapter(model, whole, 1)).message).toContain(
      `down_proj.weight is held in ${bits} bits`,
    )
    attachAdapter(model, LORA, 1)
    const { message, hint, exitCode } = thrown(() => mergeAdapter(model))
    expect([message, exitCode]).toEqual([expect.stringContaining(`in ${bits} bits`), 2])
    expect(hint).toContain(`load_in_${bits}bit`)
    model.dispose()
  })

  test('a number that is not finite is named with its tensor', () => {
    const folder = temporaryFolder()
    const source = fixture('models/llama_gqa')
    const name = 'model.layers.1.mlp.down_proj.weight'
    const file = openSafetensors(join(source, 'model.safetensors'))
    const { offset } = file.place(name)
    file.close()
    const bytes = fs.readFileSync(join(source, 'model.safetensors'))
    bytes.writeFloatLE(Number.NaN, offset + 40)
    fs.writeFileSync(join(folder, 'model.safetensors'), bytes)
    fs.copyFileSync(join(source, 'config.json'), join(folder, 'config.json'))
    const { message, exitCode } = thrown(() => loadModel(folder, 'f32', false, { bits, which: 'blocks' }))
    expect([message, exitCode]).toEqual([expect.stringContaining(`"${name}" holds a number`), 2])
  })

  test('an adapter learns on a narrow base and, saved, does the same on the base as stored', () => {
    const before = memory().tensors
    const folder = temporaryFolder()
    const source = fixture('models/llama_gqa')
    const model = load('llama_gqa', { bits, which: 'blocks' })
    const base = new Map(Array.from(model.weights, ([name, t]) => [name, copyOfBytes(t)]))
    attachAdapter(model, { ...LORA, base: source }, 1)
    const trained = [...trainableWeights(model).values()]
    for (const weight of trained) requiresGrad(weight)
    const step = () =>
      scope(() => {
        const hidden = decode(model, singleSequence(IDS.slice(0, -1)))
        const [logp] = targetLogProbs(model, hidden, i64(IDS.slice(1)))
        const loss = ops.neg(ops.mean(logp))
        backward(loss)
        noGrad(() => {
          for (const weight of trained) {
            const grad = gradOf(weight)
            if (grad) ops.addInPlace(weight, grad, -0.05)
            setGrad(weight)
          }
        })
        return loss.item()
      })
    const losses = Array.from({ length: 60 }, step)
    expect(losses[59]).toBeLessThan(losses[0] / 3)
    for (const [name, bytes] of base) expect(copyOfBytes(model.weights.get(name)!).equals(bytes)).toBe(true)
    for (const { path, chunks } of adapterFiles(model))
      fs.writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
    const expected = logitsOf(model)
    const [wide, narrow] = [
      loadModelFolder(folder),
      loadModelFolder(folder, 'f32', { quantized: { bits, which: 'all' } }),
    ]
    expect(wide.scales.size).toBe(0)
    expect(cosine(logitsOf(wide), expected)).toBeGreaterThan(CLOSE[bits])
    expect(cosine(logitsOf(narrow), expected)).toBeGreaterThan(CLOSE[bits])
    for (const m of [model, wide, narrow]) m.dispose()
    expect(memory().tensors).toBe(before)
  })

  test('an adapter that trains the LM head whole keeps its head where the base is narrow', () => {
    const model = load('llama_gqa', { bits, which: 'all' })
    const wide = load('llama_gqa')
    const head = { ...LORA, modulesToSave: ['lm_head'] }
    attachAdapter(wide, { ...head, base: fixture('models/llama_gqa') }, 1)
    const folder = temporaryFolder()
    for (const { path, chunks } of adapterFiles(wide))
      fs.writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
    const narrow = loadModelFolder(folder, 'f32', { quantized: { bits, which: 'all' } })
    expect(narrow.output.weight.dtype).toBe('f32')
    expect(cosine(logitsOf(narrow), logitsOf(wide))).toBeGreaterThan(CLOSE[bits])
    for (const m of [model, wide, narrow]) m.dispose()
  })

  test('a reward model is scored with narrow weights; an encoder is refused', () => {
    const scorer = loadRewardScorer(fixture('models/rm_llama'), 'f32', bits)
    scorer.dispose()
    const { message, exitCode } = thrown(() => loadRewardScorer(fixture('models/rm_deberta_v3'), 'f32', bits))
    expect([message, exitCode]).toEqual([expect.stringContaining('DeBERTa encoder'), 2])
  })

  test('a reward model on a narrow base shares it, and leaves it', () => {
    const before = memory().tensors
    const model = load('llama_gqa', { bits, which: 'blocks' })
    const reward = rewardModelFrom(model, 1, { shared: true })
    attachAdapter(reward, LORA, 1)
    expect(reward.blocks[0].down.scale).toBe(model.blocks[0].down.scale)
    reward.dispose()
    expect(logitsOf(model).every(Number.isFinite)).toBe(true)
    model.dispose()
    expect(memory().tensors).toBe(before)
  })
})

test('a matrix of odd width stays as it is in 4 bits, and is held in 8', () => {
  const config = { ...readHfConfig(fixture('models/llama_gqa')), intermediate_size: 33 }
  const folder = temporaryFolder()
  const model = initModel(config, 1)
  for (const file of modelFiles(model))
    fs.writeFileSync(join(folder, file.path), Buffer.concat([...file.chunks()]))
  const expected = logitsOf(model)
  model.dispose()
  for (const bits of [8, 4] as const) {
    const narrow = loadModel(folder, 'f32', false, { bits, which: 'blocks' })
    expect(narrow.blocks[0].down.weight.dtype).toBe(bits === 8 ? 'i8' : 'f32')
    expect(narrow.blocks[0].gate?.scale).toBeDefined()
    expect(cosine(logitsOf(narrow), expected)).toBeGreaterThan(CLOSE[bits])
    narrow.dispose()
  }
})
