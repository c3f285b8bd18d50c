import { expect, test } from 'vitest'
import { attachAdapter, trainableWeights } from '../../src/models/adapters/adapter.js'
import type { HfConfig } from '../../src/models/decoder/decoder-config.js'
import { initModel } from '../../src/models/decoder/init.js'
import { readHfConfig } from '../../src/models/folders/load-model.js'
import { shapedAdapter, shapedModel } from '../../src/models/folders/shapes.js'
import { blockNumbers } from '../../src/plan/activations.js'
import { bestChanges, changesFor } from '../../src/plan/advice.js'
import { DEVICES, deviceRates } from '../../src/plan/devices.js'
import { diskPlan } from '../../src/plan/disk.js'
import { trainWork } from '../../src/plan/flops.js'
import { memoryPlan } from '../../src/plan/memory.js'
import { flops, type PlanInput, planTraining, seconds } from '../../src/plan/plan.js'
import { modelShape } from '../../src/plan/shape.js'
import { memory } from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'
import { oneOfEach } from '../models/recorded.js'

const LLAMA_7B: HfConfig = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  vocab_size: 32000,
  max_position_embeddings: 4096,
  rope_theta: 10000,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
  initializer_range: 0.02,
  tie_word_embeddings: false,
}
const LORA = {
  r: 8,
  alpha: 16,
  dropout: 0,
  targetModules: ['q_proj', 'v_proj'],
  useRslora: false,
  modulesToSave: [],
}
const GB = 1e9
const SIZE = { tokens: 2000, scored: 1000, keys: 500_000 }

const inputOf = (model: ReturnType<typeof shapedModel>, more: Partial<PlanInput> = {}): PlanInput => ({
  shape: modelShape(model),
  sizes: Array.from({ length: 64 }, () => ({ tokens: 500, scored: 250, keys: 60_000 })),
  packing: { batchSize: 8, totalSteps: 16, seed: 1, maxTokens: 2000 },
  recompute: 'auto',
  moments: 2,
  cacheBytes: 0,
  program: 0.2 * GB,
  available: 1e15,
  ...more,
})

test('Llama 2 7B: 6,738,415,616 parameters and 27 GB of weights, in a few kilobytes; LoRA on q and v trains 4,194,304', () => {
  const before = memory().bytes
  const model = shapedModel(LLAMA_7B, 'lm', 'f32')
  attachAdapter(model, LORA, 1, shapedAdapter)
  expect(memory().bytes - before).toBeLessThan(20_000)
  const shape = modelShape(model)
  expect(shape.parameters).toBe(6_738_415_616)
  expect(shape.trained).toBe(4_194_304)
  expect(shape.weightBytes).toBe(4 * (6_738_415_616 + 4_194_304))
  model.dispose()
  expect(memory().bytes).toBe(before)
})

test('Llama 2 7B with a base in 8 bits: a byte for each number of the blocks, four for their scales and all else', () => {
  const model = shapedModel(LLAMA_7B, 'lm', 'f32', undefined, { bits: 8, which: 'blocks' })
  attachAdapter(model, LORA, 1, shapedAdapter)
  const shape = modelShape(model)
  const blocks = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)
  const scales = 32 * (4 * 4096 + 2 * 11008 + 4096)
  expect(shape.parameters).toBe(6_738_415_616)
  expect(shape.weightBytes).toBe(blocks + 4 * (scales + 6_738_415_616 - blocks + 4_194_304))
  model.dispose()
})

test('Llama 2 7B with a base in 4 bits: half a byte for each number of the blocks, two for each 64 of them', () => {
  const model = shapedModel(LLAMA_7B, 'lm', 'f32', undefined, { bits: 4, which: 'blocks' })
  attachAdapter(model, LORA, 1, shapedAdapter)
  const shape = modelShape(model)
  const blocks = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11008)
  expect(shape.parameters).toBe(6_738_415_616)
  expect(shape.trained).toBe(4_194_304)
  expect(shape.blockMatrices).toBe(blocks)
  expect(shape.weightBytes).toBe(blocks / 2 + blocks / 32 + 4 * (6_738_415_616 - blocks + 4_194_304))
  model.dispose()
})

test.each(oneOfEach)(
  '%s: a model of shapes has the numbers of the model itself, with and without an adapter',
  (name) => {
    const config = readHfConfig(fixture(`models/${name}`))
    for (const lora of [false, true]) {
      const [real, shapes] = [initModel(config, 1), shapedModel(config, 'lm', 'f32')]
      if (lora) {
        const all = { ...LORA, targetModules: 'all-linear' }
        attachAdapter(real, all, 1)
        attachAdapter(shapes, all, 1, shapedAdapter)
      }
      expect(modelShape(shapes)).toEqual(modelShape(real))
      expect([...trainableWeights(shapes).keys()]).toEqual([...trainableWeights(real).keys()])
      expect(blockNumbers(modelShape(real)).kept).toBeGreaterThan(4 * real.config.hiddenSize)
      for (const model of [real, shapes]) model.dispose()
    }
  },
)

test('FLOPs of full training are 6 for each weight and token beside attention, 4 with frozen weights, a third more recomputed', () => {
  const model = shapedModel(LLAMA_7B, 'lm', 'f32')
  const shape = modelShape(model)
  // 500 rows of 32,000 logits are kept for the backward pass.
  const noKeys = { ...SIZE, keys: 0, scored: 500 }
  const { blocks, head } = trainWork(shape, noKeys, false)
  expect(blocks).toBe(6 * shape.blockMatrices * SIZE.tokens)
  expect(head).toBe(6 * 32000 * 4096 * 500)
  // Of 1,000 rows those beyond 96 MiB are computed twice.
  const again = 1 - (96 * 2 ** 20) / (1000 * 32000 * 4)
  expect(trainWork(shape, SIZE, false).head).toBeCloseTo((6 + 2 * again) * 32000 * 4096 * 1000, -3)
  expect(trainWork(shape, noKeys, true).blocks).toBeCloseTo((blocks * 4) / 3, -3)
  // Attention: 2 products forward and 5 back, of 2 x 4096 FLOPs a key, in 32 layers.
  const attention = trainWork(shape, SIZE, false).blocks - blocks
  expect(attention).toBe(7 * 2 * 4096 * 32 * SIZE.keys)
  attachAdapter(model, LORA, 1, shapedAdapter)
  const adapted = modelShape(model)
  expect(trainWork(adapted, noKeys, false).blocks).toBe(
    (4 * adapted.blockMatrices + 6 * adapted.loraNumbers) * SIZE.tokens,
  )
  expect(trainWork(adapted, noKeys, false).head).toBe((head * 2) / 3)
  model.dispose()
})

test('memory by part: gradients as weights, AdamW twice that; recomputation keeps one input a block', () => {
  const model = shapedModel(LLAMA_7B, 'lm', 'f32')
  const shape = modelShape(model)
  const options = { moments: 2, accumulates: true, cacheBytes: 0, program: 0 }
  const plain = memoryPlan(shape, SIZE, { ...options, recompute: false })
  const again = memoryPlan(shape, SIZE, { ...options, recompute: true })
  expect(plain.gradients).toBe(plain.weights)
  expect(plain.optimizer).toBe(2 * plain.weights)
  // Per token and block: 4 rows of width D, q, k, v and the attention's output (4 D), a sum for each head, 3 F.
  expect(blockNumbers(shape).kept).toBe(8 * 4096 + 32 + 3 * 11008)
  expect(again.activations / plain.activations).toBeLessThan(0.15)
  expect(plain.peak - again.peak).toBeGreaterThan(0.8 * (plain.activations - again.activations))
  // 500 rows of 32,000 logits are 64 MB and kept; of 10,000 rows 96 MiB, the others go through a chunk of 64 MiB.
  const logits = (scored: number) =>
    memoryPlan(shape, { ...SIZE, scored }, { ...options, recompute: false }).logits
  expect(logits(500)).toBe(500 * 32000 * 4)
  expect(logits(10_000)).toBe((96 + 64) * 2 ** 20)
  model.dispose()
})

test('mixed precision keeps the inputs of linear maps in half the bytes, and weights and moments as they are', () => {
  const model = shapedModel(LLAMA_7B, 'lm', 'f32')
  const shape = modelShape(model)
  const mixed = { ...shape, bf16: true }
  // Of the 4 rows of width D the outputs of both norms are halves; the attention's output is there twice; of 3 F one is half.
  expect(blockNumbers(mixed).kept).toBe(3 * 4096 + 4 * 4096 + 4096 / 2 + 32 + 2.5 * 11008)
  const options = { moments: 2, accumulates: true, cacheBytes: 0, program: 0, recompute: false }
  const [wide, narrow] = [shape, mixed].map((s) => memoryPlan(s, SIZE, options))
  expect(narrow).toMatchObject({
    weights: wide.weights,
    gradients: wide.gradients,
    optimizer: wide.optimizer,
  })
  expect(narrow.activations).toBeLessThan(wide.activations)
  const [f32, bf16] = [shape, mixed].map((s) => deviceRates(DEVICES.h100, s))
  expect(bf16).toEqual({ ...f32, block: f32.block * (67 / 989) })
  model.dispose()
})

test('auto recomputes when activations do not fit, and only then; what does not fit even so is named with changes', () => {
  const model = shapedModel(LLAMA_7B, 'lm', 'f32')
  const roomy = planTraining(inputOf(model))
  expect(roomy).toMatchObject({
    recompute: false,
    fits: true,
    steps: 16,
    microBatches: 32,
    tokens: 16 * 8 * 500,
  })
  const between = (roomy.peakPlain + roomy.peakRecomputed) / 2
  expect(planTraining(inputOf(model, { available: between }))).toMatchObject({ recompute: true, fits: true })
  expect(planTraining(inputOf(model, { available: between, recompute: false })).fits).toBe(false)
  const small = inputOf(model, {
    available: 60 * GB,
    packing: { ...inputOf(model).packing, maxTokens: 4000 },
  })
  const plan = planTraining(small)
  expect(plan).toMatchObject({ recompute: true, fits: false })
  const changes = bestChanges(changesFor(small, plan), plan.available)
  // A smaller budget gains next to nothing here: weights, gradients and moments are too large by themselves.
  expect(changes.map(({ setting }) => setting)).toEqual(['use_peft: true, lora_r: 16', 'dtype: bfloat16'])
  expect(changes[0].peak).toBeLessThan(60 * GB)
  for (const { peak } of changes) expect(peak).toBeLessThan(plan.memory.peak)
  model.dispose()
})

test('a device: time from its peak and bandwidth', () => {
  const model = shapedModel(LLAMA_7B, 'lm', 'bf16')
  const { work, steps } = planTraining(inputOf(model))
  const rates = deviceRates(DEVICES.h100, modelShape(model))
  const parameters = modelShape(model).parameters
  const expected = flops(work) / (989e12 * 0.4) + (steps * parameters * 14) / (3350e9 * 0.7)
  expect(seconds(work, rates)).toBeCloseTo(expected, 6)
  model.dispose()
})

test('disk: two checkpoints and the best, and 1.2 times one while it is written', () => {
  const model = shapedModel(LLAMA_7B, 'lm', 'f32')
  const shape = modelShape(model)
  const plan = diskPlan(shape, { moments: 2, saveTotalLimit: 2, keepsBest: true, saves: 10 })
  expect(plan).toMatchObject({ checkpoint: 3 * shape.weightBytes, checkpoints: 3 })
  expect(plan.bytes).toBeCloseTo(4.2 * plan.checkpoint, -3)
  expect(diskPlan(shape, { moments: 2, saveTotalLimit: 2, keepsBest: true, saves: 1 }).checkpoints).toBe(1)
  model.dispose()
})
