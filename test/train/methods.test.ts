import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { candidateLogProbs } from '../../src/models/decoder/score.js'
import { createAdamW } from '../../src/optim/adamw.js'
import { readMetrics } from '../../src/runs/metrics.js'
import { type DType, gradOf, noGrad, requiresGrad, scope } from '../../src/tensor/index.js'
import { packStep } from '../../src/train/loop/items.js'
import { referenceLogProbs } from '../../src/train/loop/reference.js'
import { evaluateStep, trainStep } from '../../src/train/loop/step.js'
import { Tally } from '../../src/train/loop/step-metrics.js'
import type { Objective } from '../../src/train/objectives/objective.js'
import { temporaryFolder } from '../helpers/folders.js'
import { relative } from '../helpers/numbers.js'
import { equipped, methods } from './methods.js'
import { fileOf, randomItems, run, tinyModel, training } from './tiny.js'

const NAMES = Object.keys(methods())
const ADAMW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decayOn: 'all' } as const

/** Steps of one objective on one batch. */
function steps(
  objective: Objective,
  number: number,
  learningRate: number,
  maxTokens = 1e6,
  dtype: DType = 'f32',
  items = equipped(randomItems(6, 'methods')),
) {
  const model = tinyModel('lm', 1, dtype)
  for (const w of model.weights.values()) requiresGrad(w)
  const optimizer = createAdamW(model.weights, ADAMW)
  const plan = packStep(items, { maxTokens, lastToken: false })
  const tally = new Tally()
  const losses = Array.from(
    { length: number },
    () => trainStep({ model, objective }, plan, optimizer, tally, { learningRate, maxGradNorm: 0 })!.loss,
  )
  const gradients = scope(() => [...model.weights.values()].flatMap((w) => gradOf(w)?.numbers() ?? []))
  const held = evaluateStep({ model, objective }, plan)
  optimizer.clearGradients()
  optimizer.dispose()
  model.dispose()
  return {
    losses,
    gradients,
    metrics: tally.means(),
    held,
    micro: plan.micro.length,
    state: objective.state?.(),
  }
}

describe.each(NAMES)('%s', (name) => {
  test('trains on the one trainer: the loss is finite and falls', () => {
    const { losses, metrics, held } = steps(methods()[name], 10, 3e-3)
    expect(losses.every(Number.isFinite)).toBe(true)
    // BCO's zero moves with the rewards that it has seen; held still, the loss falls.
    if (!name.startsWith('bco')) expect(losses[9]).toBeLessThan(losses[0])
    expect([...Object.values(metrics), ...Object.values(held)].every(Number.isFinite)).toBe(true)
  })

  test('loss and gradients are those of one batch, however the step is split', () => {
    const whole = steps(methods()[name], 1, 0, 1e6, 'f64')
    const parts = steps(methods()[name], 1, 0, 30, 'f64')
    expect([whole.micro, parts.micro > 3]).toEqual([1, true])
    expect(relative(parts.losses, whole.losses)).toBeLessThan(1e-12)
    expect(relative(parts.gradients, whole.gradients)).toBeLessThan(1e-11)
    expect(parts.held.loss).toBeCloseTo(whole.held.loss, 11)
  })
})

test("KTO logs the mean log-ratio of mismatched answers, BCO its running mean; held-out data leave BCO's alone", () => {
  // A reference to which mismatched answers are less likely than to the model: below 0 the mean counts as 0.
  const items = equipped(randomItems(6, 'methods')).flatMap(({ mismatched, ...item }) =>
    mismatched
      ? [{ ...item, mismatched: { ...mismatched, reference: mismatched.reference.map((sum) => 1.5 * sum) } }]
      : [],
  )
  const model = tinyModel()
  const ratios = items.flatMap(({ mismatched: { encoded, reference } }) => {
    const { micro } = packStep([{ encoded, pairs: [], sft: { index: 0, weight: 0 }, labels: [] }], {
      maxTokens: 1e6,
      lastToken: false,
    })
    const sums = noGrad(() => scope(() => candidateLogProbs(model, micro[0]).sum.numbers()))
    return sums.map((sum, k) => sum - reference[k])
  })
  model.dispose()
  const kl = ratios.reduce((a, b) => a + b, 0) / ratios.length
  expect(kl).toBeGreaterThan(0.1)
  const kto = steps(methods().kto, 1, 0, 1e6, 'f32', items)
  expect(kto.metrics.kl).toBeCloseTo(kl, 4)
  expect(kto.held.kl).toBeCloseTo(kl, 4)
  const bco = steps(methods().bco, 3, 0)
  expect(bco.state?.count).toBe(3 * 6 * 3)
  expect(bco.held.delta).toBe(bco.state?.mean)
})

test('rewards of methods with a reference are those of TRL: beta times the log-ratio', () => {
  const model = tinyModel()
  const items = equipped(randomItems(4, 'rewards')).map(({ rows, ...item }) => item)
  const plan = packStep(items, { maxTokens: 1e6, lastToken: false })
  const found = evaluateStep({ model, objective: methods().dpo }, plan)
  const [batch] = plan.micro
  const sums = noGrad(() => scope(() => candidateLogProbs(model, batch).sum.numbers()))
  const contrasted = items.flatMap((item, i) =>
    item.pairs
      .filter(({ weight }) => weight > 0)
      .map(({ better, worse }) => {
        const ratio = (k: number) => 0.5 * (sums[batch.offsets[i] + k] - (item.reference?.[k] ?? 0))
        return [ratio(better), ratio(worse)]
      }),
  )
  const mean = (of: (pair: number[]) => number) =>
    contrasted.reduce((a, p) => a + of(p), 0) / contrasted.length
  expect(found['rewards/chosen']).toBeCloseTo(
    mean(([b]) => b),
    5,
  )
  expect(found['rewards/rejected']).toBeCloseTo(
    mean(([, w]) => w),
    5,
  )
  expect(found['rewards/margins']).toBeCloseTo(
    mean(([b, w]) => b - w),
    5,
  )
  expect(found['rewards/accuracies']).toBeCloseTo(
    mean(([b, w]) => Number(b > w)),
    5,
  )
  expect(found['pairs/saturated']).toBeUndefined()
  model.dispose()
})

test("BCO's running mean is part of the checkpoint: stopped and resumed, every bit is that of the whole run", async () => {
  const make = (dir: string) => ({ ...training(dir, methods().bco), items: equipped(randomItems(11)) })
  const whole = temporaryFolder()
  const expected = await run(make(whole))
  for (const stop of [1, 5, 8]) {
    const dir = temporaryFolder()
    const first = await run(make(dir), stop)
    const rest = await run({ ...make(dir), resume: true })
    expect([...first.losses, ...rest.losses]).toEqual(expected.losses)
    expect(rest.weights.equals(expected.weights)).toBe(true)
    const deltas = (d: string) => readMetrics(join(d, 'metrics.jsonl')).rows.map((row) => row.delta)
    expect(deltas(dir)).toEqual(deltas(whole))
    for (const name of ['model.safetensors', 'optimizer.safetensors'])
      expect(fileOf(dir, 'checkpoint-12', name).equals(fileOf(whole, 'checkpoint-12', name))).toBe(true)
  }
})

test('reference log-probabilities do not depend on the batch, and known ones are not computed again', async () => {
  const model = tinyModel()
  const encoded = randomItems(7, 'reference').map((item) => item.encoded)
  const known = new Map<string, number>()
  let read = 0
  const cache = {
    get: (key: string) => {
      if (known.has(key)) read += 1
      return known.get(key)
    },
    add: (key: string, value: number) => known.set(key, value),
    close() {},
  }
  const one = (await referenceLogProbs(model, encoded, { maxTokens: 1, cache })) as number[][]
  expect(one.map((row) => row.length)).toEqual(encoded.map((e) => e.answers.length))
  const packed = (await referenceLogProbs(model, encoded, { maxTokens: 1000 })) as number[][]
  expect(relative(packed.flat(), one.flat())).toBeLessThan(1e-5)
  model.dispose()
  const again = await referenceLogProbs(model, encoded, { maxTokens: 1000, cache })
  expect(again).toEqual(one)
  expect(read).toBe(one.flat().length)
  const stopped = await referenceLogProbs(tinyModel(), encoded, { maxTokens: 1, stopRequested: () => true })
  expect(stopped).toBeUndefined()
})
