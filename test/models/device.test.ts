/** Models on a device: on `meta` every operator runs without numbers, and one that is handed a CPU tensor throws. */
import { afterEach, expect, test } from 'vitest'
import { openModelFiles } from '../../src/checkpoint/format/sharded-model.js'
import { packLists } from '../../src/data/encode/pack.js'
import { attachAdapter, trainableWeights, withDropout } from '../../src/models/adapters/adapter.js'
import { loadModelFolder } from '../../src/models/adapters/adapter-load.js'
import { createCache, type Decoder, decode, logits } from '../../src/models/decoder/decoder.js'
import { initModel, rewardModelFrom } from '../../src/models/decoder/init.js'
import { recomputing } from '../../src/models/decoder/recompute.js'
import { resizeEmbeddings } from '../../src/models/decoder/resize.js'
import { candidateLogProbs, candidateRewards } from '../../src/models/decoder/score.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { loadRewardScorer } from '../../src/models/folders/load-reward.js'
import { readOver } from '../../src/models/folders/read-tensor.js'
import { packedStream } from '../../src/nn/layout.js'
import { createOptimizer, type OptimizerOptions } from '../../src/optim/optimizer.js'
import { createRandom } from '../../src/random.js'
import {
  type DType,
  gradOf,
  i64,
  noGrad,
  onDevice,
  ops,
  requiresGrad,
  scope,
  type Tensor,
  useDevice,
} from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'
import { randomList } from '../helpers/encoded.js'
import { LORA, oneOfEach, rewardModels } from './recorded.js'

afterEach(() => useDevice('cpu'))

const random = createRandom('device')
const lists = [3, 1, 2].map((n, i) => randomList(random, `${i}`, n, 96))

const OPTIMIZERS: OptimizerOptions[] = [
  { name: 'adamw', beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, decayOn: 'matrices' },
  { name: 'rmsprop', alpha: 0.99, epsilon: 1e-8 },
  { name: 'sgd', momentum: 0.9, weightDecay: 0.1 },
]

const onMeta = (tensors: Iterable<readonly [string, Tensor]>) =>
  expect(Array.from(tensors, ([name, t]) => `${name} ${t.device}`)).toEqual(
    Array.from(tensors, ([name]) => `${name} meta`),
  )

/** Forward, backward and an update by each optimizer. */
function trainOnce(model: Decoder, recompute: boolean): void {
  const reward = model.head === 'reward'
  const trained = trainableWeights(model)
  for (const weight of trained.values()) requiresGrad(weight)
  for (const batch of packLists(lists, { maxTokens: 60, lastToken: reward })) {
    withDropout(model, 'step', () =>
      recomputing(model, recompute, (back) =>
        scope(() => {
          const scores = reward ? candidateRewards(model, batch) : candidateLogProbs(model, batch).sum
          expect(scores.device).toBe('meta')
          back(ops.sum(scores))
        }),
      ),
    )
  }
  scope(() => onMeta(Array.from(trained, ([name, t]): [string, Tensor] => [name, gradOf(t) as Tensor])))
  for (const options of OPTIMIZERS) {
    const optimizer = createOptimizer(trained, options)
    optimizer.step(0.1)
    onMeta(optimizer.state())
    optimizer.dispose()
  }
  onMeta(model.weights)
}

/** A prompt and one more token over a cache. */
function generateOnce(model: Decoder): void {
  noGrad(() =>
    scope(() => {
      const cache = createCache(model, 8)
      const segment = { c0: 0, c1: 0, k0: 0, task: 0 }
      const prompt = packedStream([5, 6, 7], [0, 1, 2], [{ ...segment, q0: 0, q1: 3, k1: 3 }], [0, 1, 2])
      const next = packedStream([8], [3], [{ ...segment, q0: 0, q1: 1, k1: 4 }], [3])
      for (const stream of [prompt, next]) {
        const hidden = decode(model, stream, cache)
        const last = ops.indexSelect(hidden, 0, i64([0]))
        expect(logits(model, last)).toMatchObject({ device: 'meta', shape: [1, model.config.vocabSize] })
      }
      cache.dispose()
    }),
  )
}

const MODELS: [string, DType][] = [
  ...oneOfEach.map((name): [string, DType] => [name, 'f32']),
  ['llama_gqa', 'bf16'],
  ['gemma2', 'bf16'],
]

for (const [name, dtype] of MODELS) {
  test(`${name}, ${dtype}: weights, training with and without recomputation, and generation stay on the device`, () => {
    useDevice('meta')
    const model = loadModel(fixture(`models/${name}`), dtype)
    onMeta(model.weights)
    trainOnce(model, false)
    trainOnce(model, true)
    generateOnce(model)
    model.dispose()
  })
}

for (const name of rewardModels) {
  test(`${name}: a reward head trains on the device`, () => {
    useDevice('meta')
    const model = loadModel(fixture(`models/${name}`))
    trainOnce(model, false)
    model.dispose()
  })
}

test('an adapter with dropout, fresh or from files, trains and generates on the device', () => {
  useDevice('meta')
  const fresh = loadModel(fixture('models/llama_gqa'), 'bf16', true)
  attachAdapter(fresh, LORA, 3)
  for (const model of [fresh, loadModelFolder(fixture('models/lora_qv/adapter'))]) {
    trainOnce(model, false)
    generateOnce(model)
    model.dispose()
  }
})

test.each([8, 4] as const)('a base in %i bits trains an adapter and generates on the device', (bits) => {
  useDevice('meta')
  for (const dtype of ['f32', 'bf16'] as const) {
    const model = loadModelFolder(fixture('models/llama_gqa'), dtype, {
      quantized: { bits, which: 'blocks' },
    })
    onMeta(model.scales)
    attachAdapter(model, LORA, 3)
    trainOnce(model, true)
    generateOnce(model)
    model.dispose()
  }
  const used = loadModelFolder(fixture('models/llama_gqa'), 'bf16', { quantized: { bits, which: 'all' } })
  generateOnce(used)
  used.dispose()
})

test('a DeBERTa scorer reads on the device', () => {
  useDevice('meta')
  const scorer = loadRewardScorer(fixture('models/rm_deberta_v3'))
  // An encoder reads every answer with its prompt: a list whose prompt is part of the answer.
  const alone = { ...lists[1], promptIds: Int32Array.of(), answers: lists[1].answers.slice(0, 1) }
  const [batch] = packLists([alone], { maxTokens: 99, lastToken: true })
  expect(scope(() => scorer.rewards(batch).device)).toBe('meta')
  scorer.dispose()
})

test('fresh models, grown embeddings and reward heads are made on the device', () => {
  useDevice('meta')
  const { hfConfig } = loadModel(fixture('models/llama_gqa'))
  const model = initModel(hfConfig, 1)
  resizeEmbeddings(model, model.config.vocabSize + 8, 1)
  onMeta(model.weights)
  const reward = rewardModelFrom(model, 2)
  trainOnce(reward, false)
  reward.dispose()
  model.dispose()
})

test('a checkpoint is read over tensors on a device', () => {
  const files = openModelFiles(fixture('models/llama_gqa'))
  const [name] = files.entries.keys()
  scope(() => {
    const shape = files.entries.get(name)?.shape as number[]
    const there = requiresGrad(onDevice(ops.zeros(shape), 'meta'))
    readOver(files, name, there)
    expect(there.device).toBe('meta')
  })
  files.close()
})
