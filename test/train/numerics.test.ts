import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ClhaError } from '../../src/errors.js'
import { createAdamW } from '../../src/optim/adamw.js'
import { i64, ops, requiresGrad, scope, type Tensor } from '../../src/tensor/index.js'
import { packStep, type TrainItem } from '../../src/train/loop/items.js'
import { trainStep } from '../../src/train/loop/step.js'
import { Tally } from '../../src/train/loop/step-metrics.js'
import type { Objective } from '../../src/train/objectives/objective.js'
import { answer, encoded } from '../helpers/encoded.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { copyOfBytes } from '../helpers/numbers.js'
import {
  bytesOf,
  CLHA,
  filesBelow,
  headOf,
  OBJECTIVES,
  randomItems,
  run,
  tinyModel,
  training,
} from './tiny.js'

const ADAMW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, decayOn: 'all' } as const

function trainer(objective: Objective = CLHA) {
  const model = tinyModel(headOf(objective))
  for (const w of model.weights.values()) requiresGrad(w)
  const optimizer = createAdamW(model.weights, ADAMW)
  const step = (items: readonly TrainItem[], with_: Objective = objective) =>
    trainStep(
      { model, objective: with_, margin: () => 1 },
      packStep(items, { maxTokens: 100, lastToken: objective.lastToken }),
      optimizer,
      new Tally(),
      { learningRate: 0.01, maxGradNorm: 1 },
    )
  const state = () => Buffer.concat([bytesOf(model), ...optimizer.state().map(([, t]) => copyOfBytes(t))])
  return { model, optimizer, step, state }
}

/** Puts a number at one place of a tensor's own memory. */
function poke(tensor: Tensor, place: number, value: number): void {
  const bytes = tensor.bytes()
  new DataView(bytes.buffer, bytes.byteOffset).setFloat32(place * 4, value, true)
}

const BAD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

/** Runs a step that has to fail with exit 5 and to change nothing. */
function expectRefused(t: ReturnType<typeof trainer>, step: () => unknown, names: RegExp): void {
  const before = t.state()
  const error = thrown(step)
  expect(error.exitCode).toBe(5)
  expect(error.message).toMatch(names)
  expect(t.state().equals(before)).toBe(true)
}

test.each(BAD)('N1: %d in any weight stops before the update, and the weight is named', (value) => {
  const items = randomItems(3)
  for (const name of tinyModel().weights.keys()) {
    const t = trainer()
    t.step(items)
    // Of the embedding a token that the lists hold; rows that nobody looks up reach nothing.
    const row = name.includes('embed') ? items[0].encoded.promptIds[0] * 32 : 3
    poke(t.model.weights.get(name)!, row, value)
    expectRefused(t, () => t.step(items), new RegExp(`weight ${name.replaceAll('.', '\\.')}`))
  }
})

test.each(BAD)('N1: %d in a moment stops before it reaches a weight, and the moment is named', (value) => {
  for (const kind of ['exp_avg', 'exp_avg_sq']) {
    const t = trainer()
    t.step(randomItems(3))
    const [name, moment] = t.optimizer.state().find(([n]) => n.startsWith(`${kind}.`) && n.includes('mlp'))!
    poke(moment, 5, value)
    expectRefused(t, () => t.step(randomItems(3)), new RegExp(name.replaceAll('.', '\\.')))
  }
})

test.each(BAD)('N1: a pair weight or a gate of %d stops before the update', (value) => {
  const [first, ...rest] = randomItems(3)
  const t = trainer()
  const pairs = first.pairs.map((p, i) => (i === 0 ? { ...p, weight: value } : p))
  expectRefused(t, () => t.step([{ ...first, pairs }, ...rest]), /loss/)
  expectRefused(t, () => t.step([{ ...first, sft: { index: 0, weight: value } }, ...rest]), /sft_loss/)
})

test.each(BAD)('N1: a loss part of %d stops before the update, and the part is named', (value) => {
  const t = trainer()
  const bad: Objective = {
    ...CLHA,
    loss: (...args) => {
      const { total, parts } = CLHA.loss(...args)
      const rank_loss = ops.addScalar(parts.rank_loss, value)
      return { total: ops.add(total, rank_loss), parts: { ...parts, rank_loss } }
    },
  }
  expectRefused(t, () => t.step(randomItems(3), bad), /rank_loss (NaN|-?Infinity)/)
})

test('N1: one gradient that is not finite under a finite loss stops before the update, and the tensor is named', () => {
  const t = trainer()
  const bad: Objective = {
    ...CLHA,
    // Nothing is taken of log(0), so the loss stays; its derivative is infinite, and infinity times 0 is NaN.
    loss: (scores, lists, denominators, groups) => {
      const loss = CLHA.loss(scores, lists, denominators, groups)
      const nothing = ops.sum(ops.indexSelect(ops.log(ops.mulScalar(scores.sum, 0)), 0, i64([])))
      return { ...loss, total: ops.add(loss.total, nothing) }
    },
  }
  expectRefused(t, () => t.step(randomItems(3), bad), /grad_norm NaN.*first in gradient of /)
})

test('N1: a reward that is not finite stops a reward model before the update', () => {
  const t = trainer(OBJECTIVES.reward)
  const [head] = [...t.model.weights.keys()].filter((name) => name.includes('score'))
  poke(t.model.weights.get(head)!, 0, Number.NaN)
  expectRefused(t, () => t.step(randomItems(2)), new RegExp(`weight ${head}`))
})

test.each([1, 4])(
  'N1: a run stops with exit 5, its checkpoints untouched, whether the step is logged (every %d)',
  async (loggingSteps) => {
    const dir = temporaryFolder()
    const t = training(dir, CLHA, { saveSteps: 2, loggingSteps })
    let step = 0
    let before: Record<string, string> = {}
    const hooks = {
      ...t.hooks,
      stopRequested: () => {
        if (step++ === 6) {
          before = checkpointsOf(dir)
          poke(t.trainable.model.weights.get('model.norm.weight')!, 0, Number.NaN)
        }
        return false
      },
    }
    const { runTraining } = await import('../../src/train/loop/run.js')
    const error = await runTraining({ ...t, hooks }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ClhaError)
    expect((error as ClhaError).exitCode).toBe(5)
    expect(Object.keys(before).length).toBeGreaterThan(10)
    expect(checkpointsOf(dir)).toEqual(before)
    const manifest = JSON.parse(fs.readFileSync(join(dir, 'run.json'), 'utf8')) as Record<string, unknown>
    expect(manifest).toMatchObject({ status: 'failed', exit_code: 5 })
    const again = await run({ ...training(dir, CLHA, { saveSteps: 2, loggingSteps }), resume: true })
    expect(again.outcome.step).toBe(12)
  },
)

const checkpointsOf = (dir: string) =>
  Object.fromEntries(Object.entries(filesBelow(dir)).filter(([name]) => name.startsWith('checkpoint-')))

test('N1: weights that an update made non-finite are not saved', async () => {
  const dir = temporaryFolder()
  const t = training(dir, CLHA, {
    learningRate: Number.MAX_VALUE,
    saveSteps: 1,
    schedule: { name: 'constant', warmupSteps: 0, totalSteps: 12 },
  })
  await expect(run(t)).rejects.toMatchObject({ exitCode: 5 })
  expect(checkpointsOf(dir)).toEqual({})
})

const shut = (item: TrainItem): TrainItem => ({ ...item, sft: { ...item.sft, weight: 0 } })
const uncontrasted = (item: TrainItem): TrainItem => ({
  ...item,
  pairs: item.pairs.map((p) => ({ ...p, weight: 0 })),
})

test('N2: no pair contrasted: the contrast is 0, the SFT part goes on; all gates shut: the other way round', () => {
  const t = trainer()
  const items = randomItems(3)
  expect(t.step(items.map(uncontrasted))).toMatchObject({ rank_loss: 0, sft_loss: expect.any(Number) })
  const closed = t.step(items.map(shut))!
  expect(closed.sft_loss).toBeCloseTo(0, 12)
  expect(closed.rank_loss).toBeGreaterThan(0)
})

test('N2: a step in which nothing counts changes no bit: weight decay and momentum do not move the model alone', () => {
  const t = trainer()
  t.step(randomItems(3))
  const before = t.state()
  expect(t.step(randomItems(3).map(shut).map(uncontrasted))).toBeUndefined()
  expect(t.state().equals(before)).toBe(true)
  const reward = trainer(OBJECTIVES.reward)
  expect(reward.step(randomItems(2).map((i) => ({ ...i, pairs: [] })))).toBeUndefined()
})

test('N2: steps left out are counted in the log, before and after resuming', async () => {
  const dir = temporaryFolder()
  const make = () => ({
    ...training(dir, CLHA, { batchSize: 1, totalSteps: 11 }),
    items: randomItems(11).map((item, i) => (i < 4 ? shut(uncontrasted(item)) : item)),
  })
  await run(make(), 5)
  const { rows, outcome } = await run({ ...make(), resume: true })
  expect(outcome.skipped).toBe(4)
  expect(rows.at(-1)).toMatchObject({ step: 11, skipped_steps: 4 })
  expect(
    rows.every((row) => Object.values(row).every((v) => typeof v !== 'number' || Number.isFinite(v))),
  ).toBe(true)
})

test('F9: all lists of 1 to 4 answers, with ties, empty and identical answers, give finite steps', () => {
  const t = trainer()
  const reward = trainer(OBJECTIVES.reward)
  const texts = [[2], [2], [7, 7, 2], [40]]
  for (let n = 1; n <= 4; n++) {
    for (let mask = 0; mask < 2 ** n; mask++) {
      const answers = Array.from({ length: n }, (_, i) => answer(texts[(mask >> i) & 1 ? i : 0]))
      const pairs = answers
        .slice(1)
        .map((_, i) => ({ better: 0, worse: i + 1, distance: i + 1, weight: (mask >> i) & 1 }))
      const item = {
        encoded: encoded(`${n}/${mask}`, [4, 9], answers),
        pairs,
        sft: { index: 0, weight: mask % 3 === 0 ? 0 : 1 },
        labels: [],
      }
      const losses = t.step([item]) ?? {}
      for (const value of Object.values(losses)) expect(Number.isFinite(value)).toBe(true)
      for (const value of Object.values(reward.step([item]) ?? {})) expect(Number.isFinite(value)).toBe(true)
    }
  }
  scope(() =>
    expect([...t.model.weights.values()].every((w) => w.numbers().every(Number.isFinite))).toBe(true),
  )
})
