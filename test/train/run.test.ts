import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openModelFiles } from '../../src/checkpoint/format/sharded-model.js'
import { listCheckpoints } from '../../src/checkpoint/policy/names.js'
import { knownError } from '../../src/errors.js'
import { DiskStorage } from '../../src/files/storage.js'
import { readRun } from '../../src/runs/read-run.js'
import { BestTracker } from '../../src/train/loop/best.js'
import type { TrainingRun } from '../../src/train/loop/training-run.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { readTensorBoard } from '../helpers/tensorboard.js'
import { CLHA, filesBelow, OBJECTIVES, randomItems, run, tinyModel, training } from './tiny.js'

const steps = (dir: string) => listCheckpoints(new DiskStorage(), dir).map(({ step }) => step)

/** With held-out lists: SFT at a rate at which it soon gets worse on them. */
function withDev(dir: string, changes: Partial<TrainingRun['loop']> = {}): TrainingRun {
  const t = training(dir, OBJECTIVES.sft, { learningRate: 3e-2, ...changes })
  return { ...t, devItems: randomItems(5, 'dev'), loadBest: true }
}

/** Bytes of the weights of a checkpoint, in the order of the model's. */
function saved(checkpoint: string): Buffer {
  const source = openModelFiles(checkpoint)
  const parts = [...tinyModel().weights.keys()].map((name) => {
    const { begin, end } = source.entries.get(name)!
    const bytes = new Uint8Array(end - begin)
    source.readInto(name, bytes)
    return Buffer.from(bytes)
  })
  source.close()
  return Buffer.concat(parts)
}

test('the best by eval_loss comes out: its checkpoint is kept, and the model holds its weights', async () => {
  const dir = temporaryFolder()
  const { outcome, rows, model, weights } = await run(
    withDev(dir, { totalSteps: 32, saveSteps: 5, evalSteps: 3 }),
  )
  const evaluations = rows.filter((row) => typeof row.eval_loss === 'number')
  const best = evaluations.toSorted((a, b) => Number(a.eval_loss) - Number(b.eval_loss))[0]
  expect(outcome).toMatchObject({ bestStep: best.step, bestMetric: best.eval_loss })
  expect(best.step).toBeLessThan(32)
  expect(model).toBe(join(dir, `checkpoint-${best.step}`))
  expect(weights.equals(saved(model))).toBe(true)
  expect(weights.equals(saved(join(dir, 'checkpoint-32')))).toBe(false)
  expect(steps(dir)).toEqual([32, 30, best.step].filter((s, i, all) => all.indexOf(s) === i))
})

test('a best that falls between two saves is saved then, so that it can be loaded at the end', async () => {
  const dir = temporaryFolder()
  const { outcome, model } = await run(
    withDev(dir, { totalSteps: 8, batchSize: 11, evalSteps: 1, saveSteps: 100 }),
  )
  expect(fs.existsSync(model)).toBe(true)
  expect(steps(dir)).toContain(outcome.bestStep)
})

test('without load best the last weights come out, and save_total_limit of the newest stay with the best', async () => {
  const dir = temporaryFolder()
  const t = { ...withDev(dir, { saveSteps: 1 }), loadBest: false, saveTotalLimit: 3 }
  const { outcome, weights } = await run(t)
  expect(weights.equals(saved(join(dir, 'checkpoint-12')))).toBe(true)
  expect(steps(dir)).toEqual([...new Set([12, 11, 10, outcome.bestStep!])])
})

test('early stopping ends after that many evaluations without improvement, also over a resume', async () => {
  const make = (dir: string) =>
    withDev(dir, { totalSteps: 60, learningRate: 5e-2, evalSteps: 1, earlyStoppingPatience: 3 })
  const { outcome } = await run(make(temporaryFolder()))
  expect(outcome.step).toBe(outcome.bestStep! + 3)
  expect(outcome.stopped).toBe(false)
  const dir = temporaryFolder()
  await run(make(dir), outcome.bestStep! + 1)
  const again = await run({ ...make(dir), resume: true })
  expect(again.outcome).toMatchObject({
    step: outcome.step,
    bestStep: outcome.bestStep,
    bestMetric: outcome.bestMetric,
  })
})

test('BestTracker: larger or smaller, with or without eval_, never NaN; an unknown name lists those there are', () => {
  const of = (metricForBestModel: string, greaterIsBetter: boolean) =>
    new BestTracker({ metricForBestModel, greaterIsBetter }, { step: 0, tokens: 0 })
  const larger = of('accuracy', true)
  expect(
    [0.5, Number.NaN, 0.7, 0.6].map((v, i) => larger.see(i, { eval_loss: 1, eval_accuracy: v })),
  ).toEqual([true, false, true, false])
  expect(larger.state()).toEqual({ bestMetric: 0.7, bestStep: 2, sinceBest: 1 })
  const smaller = of('eval_loss', false)
  expect([Number.NaN, 3, 3, 2].map((v, i) => smaller.see(i, { eval_loss: v }))).toEqual([
    false,
    true,
    false,
    true,
  ])
  const error = thrown(() => of('bleu', true).see(1, { eval_loss: 1, eval_margin: 2 }))
  expect(error.exitCode).toBe(2)
  expect(error.hint).toContain('eval_margin')
})

test('an evaluation that fails costs no step: a checkpoint was saved before', async () => {
  const dir = temporaryFolder()
  const t = withDev(dir, { evalGenerationSteps: 2 })
  const generate = () => Promise.reject(new Error('the server is gone'))
  await expect(run({ ...t, hooks: { ...t.hooks, generate } })).rejects.toThrow('the server is gone')
  expect(steps(dir)).toEqual([2])
})

test('evaluation rows carry the names of the training metrics with eval_, and change no number of the training', async () => {
  const plain = await run(training(temporaryFolder()))
  const { rows, weights } = await run({
    ...training(temporaryFolder(), CLHA, { evalSteps: 2 }),
    devItems: randomItems(5, 'dev'),
  })
  expect(weights.equals(plain.weights)).toBe(true)
  const evaluation = rows.find((row) => 'eval_loss' in row)!
  const row = rows.find((r) => 'loss' in r)!
  for (const name of [
    'loss',
    'rank_loss',
    'sft_loss',
    'rewards/chosen',
    'rewards/accuracies',
    'mean_token_accuracy',
  ]) {
    expect(typeof row[name]).toBe('number')
    expect(typeof evaluation[`eval_${name}`]).toBe('number')
  }
  const reward = await run({
    ...training(temporaryFolder(), OBJECTIVES.reward),
    devItems: randomItems(5, 'dev'),
  })
  expect(Object.keys(reward.rows.find((r) => 'eval_loss' in r)!)).toEqual(
    expect.arrayContaining([
      'eval_loss',
      'eval_center_loss',
      'eval_accuracy',
      'eval_margin',
      'eval_mean_reward',
    ]),
  )
})

test('each step is logged once, whatever was stopped, torn or begun again; trainer_state.json holds the same rows', async () => {
  const dir = temporaryFolder()
  await run(training(dir), 4)
  fs.appendFileSync(join(dir, 'metrics.jsonl'), '{"step":5,"loss":1}\n{"step":6,"lo')
  await run({ ...training(dir), resume: true }, 7)
  const { rows } = await run({ ...training(dir), resume: true })
  expect(rows.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  const state = JSON.parse(
    fs.readFileSync(join(dir, 'checkpoint-12', 'trainer_state.json'), 'utf8'),
  ) as Record<string, unknown>
  expect(state).toMatchObject({
    global_step: 12,
    max_steps: 12,
    epoch: 3,
    num_train_epochs: 3,
    train_batch_size: 3,
  })
  expect((state.log_history as { step: number }[]).map(({ step }) => step)).toEqual(
    rows.map(({ step }) => step),
  )
  expect(readRun(dir).manifest).toMatchObject({ status: 'done', resumed: 2 })
})

test('TensorBoard holds every logged number of every step under the tags of Hugging Face, over a resume', async () => {
  const dir = temporaryFolder()
  await run({ ...training(dir), tensorboard: true }, 5)
  const { rows } = await run({ ...training(dir), tensorboard: true, resume: true })
  const files = fs.readdirSync(join(dir, 'tensorboard')).sort()
  const events = files.flatMap((name) => readTensorBoard(join(dir, 'tensorboard', name)))
  const losses = events.filter(({ tag }) => tag === 'train/loss')
  expect(losses.map(({ step }) => step)).toEqual(rows.map(({ step }) => step))
  for (const [i, { value }] of losses.entries()) expect(value).toBeCloseTo(Number(rows[i].loss), 4)
  const tags = new Set(events.map(({ tag }) => tag))
  const names = rows.flatMap((row) => Object.keys(row)).filter((name) => name !== 'step')
  expect([...tags].sort()).toEqual([...new Set(names.map(tagOf))].sort())
  expect(tags).toContain('train/rewards/chosen')
})

test('S10: every trajectory key that differs is listed and refused (exit 2), and the folder stays as it was', async () => {
  const dir = temporaryFolder()
  await run({ ...training(dir), trajectory: { learning_rate: 1, margin: 2, data: ['a'] } }, 3)
  const before = filesBelow(dir)
  const other = training(dir, CLHA, { seed: 6 })
  const refused = run({ ...other, resume: true, trajectory: { learning_rate: 2, margin: 2, data: ['b'] } })
  await expect(refused).rejects.toMatchObject({ exitCode: 2 })
  const error = (await refused.catch((e: Error) => e)) as Error
  for (const line of [
    'learning_rate: saved 1, now 2',
    'data: saved ["a"], now ["b"]',
    'seed: saved 5, now 6',
  ])
    expect(error.message).toContain(line)
  expect(error.message).not.toContain('margin')
  expect(filesBelow(dir)).toEqual(before)
})

test('S10: other machine conditions are refused, or accepted and said with allow_inexact; harmless settings just go on', async () => {
  const dir = temporaryFolder()
  const make = () => ({ ...training(dir), resume: true })
  await run(training(dir), 3)
  const conditions = { ...make().conditions, threads: 2 }
  await expect(run({ ...make(), conditions })).rejects.toMatchObject({
    exitCode: 2,
    hint: expect.stringContaining('inexact'),
  })
  const accepted = await run({ ...make(), conditions, allowInexact: true }, 5)
  expect(accepted.warnings).toEqual(['threads differs from the saved run'])
  const changed = training(dir, CLHA, { loggingSteps: 2, saveSteps: 4, evalSteps: 7 })
  const { outcome } = await run({
    ...changed,
    resume: true,
    conditions,
    saveTotalLimit: 5,
    tensorboard: true,
  })
  expect(outcome.step).toBe(12)
})

test('a new run in a folder that holds one is refused (exit 2) and changes no byte', async () => {
  const dir = temporaryFolder()
  await run(training(dir), 3)
  const before = filesBelow(dir)
  await expect(run(training(dir))).rejects.toMatchObject({ exitCode: 2 })
  expect(filesBelow(dir)).toEqual(before)
})

test('a run killed before its first checkpoint begins again at step 0', async () => {
  const dir = temporaryFolder()
  const whole = await run(training(temporaryFolder()))
  await run(training(dir), 2)
  fs.rmSync(join(dir, 'checkpoint-2'), { recursive: true })
  const { rows, weights } = await run({ ...training(dir), resume: true })
  expect(rows.map(({ step }) => step)).toEqual(whole.rows.map(({ step }) => step))
  expect(weights.equals(whole.weights)).toBe(true)
})

test('a damaged newest checkpoint is passed over and said, with save_total_limit 1 too: the older one stays until it is replaced', async () => {
  const dir = temporaryFolder()
  await run({ ...training(dir, CLHA, { saveSteps: 2 }), saveTotalLimit: 2 }, 6)
  const file = join(dir, 'checkpoint-6', 'model.safetensors')
  const bytes = fs.readFileSync(file)
  bytes[bytes.length - 1] ^= 1
  fs.writeFileSync(file, bytes)
  const again = { ...training(dir, CLHA, { saveSteps: 1 }), saveTotalLimit: 1, resume: true }
  const { warnings, model } = await run(again, 5)
  expect(warnings[0]).toContain('checkpoint-6 is not usable')
  expect(steps(dir)).toContain(5)
  expect(fs.existsSync(model)).toBe(true)
  const whole = await run(training(temporaryFolder()))
  expect((await run({ ...again })).weights.equals(whole.weights)).toBe(true)
})

test.each([
  [new RangeError("out of memory: aten::mm: can't allocate memory"), /max_tokens_per_batch/],
  [Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }), /free some space/],
])('%s in the middle of a step becomes exit 4 with advice, and run.json says so', async (failure, advice) => {
  const dir = temporaryFolder()
  const t = training(dir)
  t.trainable.objective = {
    ...CLHA,
    loss: () => {
      throw failure
    },
  }
  const error = knownError(await run(t).catch((e: unknown) => e))
  expect(error?.exitCode).toBe(4)
  expect(error?.hint).toMatch(advice)
  expect(readRun(dir).manifest).toMatchObject({ status: 'failed', exit_code: 4 })
})

/** What transformers' TensorBoard callback makes of a name. */
const tagOf = (name: string) => (name.startsWith('eval_') ? `eval/${name.slice(5)}` : `train/${name}`)
