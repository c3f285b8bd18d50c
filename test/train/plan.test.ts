import { expect, test } from 'vitest'
import { createAdamW } from '../../src/optim/adamw.js'
import { type DType, gradOf, requiresGrad, scope } from '../../src/tensor/index.js'
import { packStep, type TrainItem } from '../../src/train/loop/items.js'
import { trainStep } from '../../src/train/loop/step.js'
import { Tally } from '../../src/train/loop/step-metrics.js'
import { clhaObjective, type Objective } from '../../src/train/objectives/objective.js'
import { encoded } from '../helpers/encoded.js'
import { relative } from '../helpers/numbers.js'
import { CLHA, headOf, OBJECTIVES, randomItems, tinyModel } from './tiny.js'

const END = 2

/** A list whose answers have these numbers of tokens, the end token among them. */
function item(prompt: number, lengths: readonly number[], ended = true): TrainItem {
  const answers = lengths.map((n) => ({
    ids: Int32Array.from({ length: n }, (_, i) => (ended && i === n - 1 ? END : 5)),
    scoredFrom: 0,
    truncated: !ended,
    ended,
  }))
  const pairs = [
    { better: 0, worse: 1, distance: 1, weight: 1 },
    { better: 0, worse: 2, distance: 2, weight: 1 },
  ].filter(({ worse }) => worse < lengths.length)
  return {
    encoded: encoded(`${prompt}+${lengths}`, new Array(prompt).fill(4), answers),
    pairs,
    sft: { index: 0, weight: 1 },
    labels: [],
  }
}

const OPTIONS = { maxTokens: 1000, lastToken: false }

test('default: one denominator for everything, every end token a target', () => {
  const plan = packStep([item(3, [4, 2]), item(1, [2, 3])], OPTIONS)
  expect(plan.groups).toBe(1)
  expect(plan.counts).toEqual([
    [4, 2],
    [2, 3],
  ])
  expect(plan.lists.flatMap((l) => [...l.pairs.map((p) => p.group), l.sft.group])).toEqual([0, 0, 0, 0])
  expect([...CLHA.denominators(plan).pairs]).toEqual([[0, 2]])
  expect([...CLHA.denominators(plan).sft]).toEqual([[0, 6]])
})

test('legacy: denominators for each group of lists and each rank distance', () => {
  const lists = [item(3, [4, 2, 2]), item(1, [2, 3, 4]), item(2, [2, 2, 2])]
  const plan = packStep(lists, { ...OPTIONS, legacyGroupSize: 2 })
  const legacy = clhaObjective({ margin: 3, marginScale: 'rank', sftWeight: 0.05, sftReduction: 'lists' })
  expect(plan.groups).toBe(2)
  const { pairs, sft } = legacy.denominators(plan)
  expect([...pairs.values()]).toEqual([2, 2, 1, 1])
  expect([...sft]).toEqual([
    [0, 2],
    [1, 1],
  ])
})

test('legacy: an answer has an end target only where it is shorter than the longest row of its group', () => {
  const lists = [item(3, [4, 2]), item(1, [3, 6]), item(2, [2, 3])]
  const plan = packStep(lists, { ...OPTIONS, legacyGroupSize: 2 })
  // Rows without their end token: 3 + 3 and 3 + 1; 1 + 2 and 1 + 5: the longest is 6, twice. Then 2 + 1, 2 + 2.
  expect(plan.counts).toEqual([
    [3, 2],
    [3, 5],
    [2, 2],
  ])
  const targets = plan.micro.flatMap((b) => [...b.targets])
  expect(targets.filter((id) => id === END)).toHaveLength(3)
})

test('legacy: an answer that was cut has no end token to lose', () => {
  const plan = packStep([item(3, [4, 2], false)], { ...OPTIONS, legacyGroupSize: 1 })
  expect(plan.counts).toEqual([[4, 2]])
})

/** Loss and all gradients of one step, its lists packed as `split` says. */
function stepOf(
  objective: Objective,
  items: readonly TrainItem[],
  maxTokens: number,
  dtype: DType,
  legacy?: number,
) {
  const model = tinyModel(headOf(objective), 1, dtype)
  for (const w of model.weights.values()) requiresGrad(w)
  const optimizer = createAdamW(model.weights, {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    decayOn: 'all',
  })
  const plan = packStep(items, { maxTokens, lastToken: objective.lastToken, legacyGroupSize: legacy })
  const losses = trainStep({ model, objective, margin: () => 1 }, plan, optimizer, new Tally(), {
    learningRate: 0,
    maxGradNorm: 0,
  })!
  const gradients = scope(() => [...model.weights.values()].flatMap((w) => gradOf(w)?.numbers() ?? []))
  optimizer.clearGradients()
  optimizer.dispose()
  model.dispose()
  return { losses, gradients, micro: plan.micro.length }
}

/** Budgets under which eight lists of equal size go 8 x 1, 4 x 2, 2 x 4, 1 x 8; then a ragged last one. */
const SIZES = [1, 2, 4, 8, 3]

test.each([
  ['clha', 'f32', 1e-6, undefined],
  ['clha', 'f64', 1e-12, undefined],
  ['clha', 'f64', 1e-12, 3],
  ['sft', 'f32', 1e-6, undefined],
  ['sft', 'f64', 1e-12, undefined],
  ['reward', 'f32', 1e-6, undefined],
  ['reward', 'f64', 1e-12, undefined],
] as const)(
  'N3 %s %s: loss and gradients are those of one batch, however the step is split (%d, legacy %s)',
  (name, dtype, bound, legacy) => {
    const items = Array.from({ length: 8 }, (_, i) => ({
      ...item(3, [4, 5, 2]),
      sft: { index: i % 3, weight: 0.5 + i / 8 },
    }))
    items.forEach(({ encoded: { answers, promptIds } }, i) => {
      for (const { ids } of answers)
        for (let t = 0; t < ids.length - 1; t++) ids[t] = 3 + ((7 * i + 5 * t + ids.length) % 50)
      promptIds.fill(10 + i)
    })
    const tokens = 3 + 4 + 5 + 2
    const objective = OBJECTIVES[name]
    const whole = stepOf(objective, items, 1e6, dtype, legacy)
    expect(whole.micro).toBe(1)
    for (const lists of SIZES) {
      const parts = stepOf(objective, items, lists * tokens, dtype, legacy)
      expect(parts.micro).toBeGreaterThanOrEqual(lists === 8 ? 1 : Math.floor(8 / (lists + 1)))
      expect(relative(Object.values(parts.losses), Object.values(whole.losses))).toBeLessThan(bound)
      expect(relative(parts.gradients, whole.gradients)).toBeLessThan(bound)
    }
  },
)

test('N3: the same for lists of different lengths', () => {
  const items = randomItems(8, 'ragged')
  for (const name of ['clha', 'reward']) {
    const whole = stepOf(OBJECTIVES[name], items, 1e6, 'f64')
    const micro = [1, 40, 70, 110].map((maxTokens) => {
      const parts = stepOf(OBJECTIVES[name], items, maxTokens, 'f64')
      expect(relative(parts.gradients, whole.gradients)).toBeLessThan(1e-12)
      expect(parts.losses.loss).toBeCloseTo(whole.losses.loss, 12)
      return parts.micro
    })
    expect(micro[0]).toBe(8)
    expect(new Set(micro).size).toBeGreaterThan(2)
  }
})
