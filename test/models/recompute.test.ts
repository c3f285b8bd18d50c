import { expect, test } from 'vitest'
import { packLists } from '../../src/data/encode/pack.js'
import { attachAdapter, trainableWeights, withDropout } from '../../src/models/adapters/adapter.js'
import type { Decoder } from '../../src/models/decoder/decoder.js'
import { rewardModelFrom } from '../../src/models/decoder/init.js'
import { recomputing } from '../../src/models/decoder/recompute.js'
import { candidateLogProbs, candidateRewards } from '../../src/models/decoder/score.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { createRandom } from '../../src/random.js'
import { gradOf, memory, ops, requiresGrad, scope, setGrad } from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'
import { randomList } from '../helpers/encoded.js'
import { LORA, oneOfEach, rewardModels } from './recorded.js'

const random = createRandom('recompute')
const lists = [3, 1, 2].map((n, i) => randomList(random, `${i}`, n, 96))

/** Gradients of what is trained, by name, over two micro-batches. */
function gradientsOf(
  model: Decoder,
  recompute: boolean,
  trained = trainableWeights(model),
): Map<string, number[]> {
  for (const weight of trained.values()) requiresGrad(weight)
  const reward = model.head === 'reward'
  packLists(lists, { maxTokens: 60, lastToken: reward }).forEach((batch, i) => {
    withDropout(model, `batch ${i}`, () =>
      recomputing(model, recompute, (back) =>
        scope(() => {
          const scores = reward ? candidateRewards(model, batch) : candidateLogProbs(model, batch).sum
          back(ops.sum(ops.square(scores)))
        }),
      ),
    )
  })
  const found = new Map<string, number[]>()
  for (const [name, weight] of trained) {
    found.set(
      name,
      scope(() => gradOf(weight)?.numbers() ?? []),
    )
    setGrad(weight)
    requiresGrad(weight, false)
  }
  return found
}

for (const name of [...oneOfEach, ...rewardModels]) {
  test(`${name}: gradients with recomputation are those without, bit by bit`, () => {
    for (const dtype of ['f32', 'f64'] as const) {
      const model = loadModel(fixture(`models/${name}`), dtype)
      const plain = gradientsOf(model, false)
      expect(Math.max(...[...plain.values()].flat().map(Math.abs))).toBeGreaterThan(0)
      expect(gradientsOf(model, true)).toEqual(plain)
      model.dispose()
    }
  })
}

test.each([oneOfEach[0], 'gpt2'].filter((n) => oneOfEach.includes(n)))(
  '%s: an adapter with dropout drops the same elements again, frozen weights get no gradient, nothing is left behind',
  (name) => {
    const model = loadModel(fixture(`models/${name}`), 'f64')
    attachAdapter(model, LORA, 3)
    for (const { b } of model.adapter!.maps.values())
      scope(() => ops.copyInPlace(b, ops.full(b.shape, 0.01, 'f64')))
    const plain = gradientsOf(model, false)
    const before = memory().tensors
    expect(gradientsOf(model, true)).toEqual(plain)
    expect(memory().tensors).toBe(before)
    for (const weight of model.weights.values()) expect(gradOf(weight)).toBeUndefined()
    model.dispose()
  },
)

test('an adapter on the last layer only gets its gradients, and so does a reward head alone', () => {
  const language = loadModel(fixture(`models/${oneOfEach[0]}`), 'f64')
  const reward = rewardModelFrom(language, 1)
  const head = new Map([...reward.weights].filter(([name]) => name.startsWith('score')))
  expect(gradientsOf(reward, true, head)).toEqual(gradientsOf(reward, false, head))
  expect(head.size).toBe(1)
  reward.dispose()
  const last = `.*\\.${language.config.layers - 1}\\..*`
  attachAdapter(language, { ...LORA, targetModules: last }, 3)
  expect(gradientsOf(language, true)).toEqual(gradientsOf(language, false))
  language.dispose()
})
