import * as fs from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { align } from '../../src/commands/align/align.js'
import { rescore } from '../../src/commands/rescore/rescore.js'
import { rewardScore } from '../../src/commands/reward-score/reward-score.js'
import { rewardTrain } from '../../src/commands/reward-train/reward-train.js'
import { train } from '../../src/commands/train/train.js'
import { decoderScorer } from '../../src/models/decoder/reward-scorer.js'
import { scoreExamples } from '../../src/reward/model-scorer.js'
import { openScoreCache, scoreKey } from '../../src/reward/score-cache.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { filesBelow, randomItems, tinyModel } from '../train/tiny.js'
import { call, type Files, typed, writeFiles } from './eval-folder.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('rescore'))
})

/** Settings under which eight pairs train in a moment. */
const SMALL = {
  devFraction: 0,
  loadBestModelAtEnd: false,
  perDeviceTrainBatchSize: 2,
  gradientAccumulationSteps: 1,
  loggingSteps: 1,
}

async function calls<T extends object>(
  pipeline: (config: never, ui: never, input: never) => Promise<T>,
  values: Record<string, unknown>,
) {
  const { config, ui, screen } = await call({ ...values, maxNewTokens: undefined })
  return { result: await pipeline(config as never, ui as never, typed() as never), screen: screen() }
}

test('scores are the same alone, in any batch and beside any neighbour, to 1e-6', async () => {
  const model = decoderScorer(tinyModel('reward'))
  const examples = randomItems(20, 'scores', 3).map((item) => item.encoded)
  const { rewards } = await scoreExamples(model, examples, { maxTokens: 1 })
  for (const maxTokens of [50, 200, 1e6]) {
    const other = await scoreExamples(model, examples.toReversed(), { maxTokens })
    for (const [i, row] of other.rewards.toReversed().entries())
      for (const [j, r] of row.entries()) expect(Math.abs(r - rewards[i][j])).toBeLessThan(1e-6)
  }
  for (const [i, e] of examples.entries()) {
    const alone = await scoreExamples(model, [{ ...e, answers: [e.answers[1]] }], { maxTokens: 100 })
    expect(Math.abs(alone.rewards[0][0] - rewards[i][1])).toBeLessThan(1e-6)
  }
  model.dispose()
})

test('a second scoring computes nothing; a torn last line costs one answer; another scorer shares no score', async () => {
  const dir = tempFolder('cache')
  const model = decoderScorer(tinyModel('reward'))
  const examples = randomItems(6, 'cache', 3).map((item) => item.encoded)
  const score = async (scorer = 'scorer') => {
    const cache = openScoreCache(dir, scorer)
    const scored = await scoreExamples(model, examples, { maxTokens: 100, cache })
    cache.close()
    return scored
  }
  const first = await score()
  expect(first.cached).toBe(0)
  expect(await score()).toEqual({ rewards: first.rewards, cached: 18 })
  const [name] = fs.readdirSync(dir)
  const path = join(dir, name)
  const whole = fs.readFileSync(path)
  fs.writeFileSync(path, whole.subarray(0, whole.length - 5))
  const torn = await score()
  expect(torn.cached).toBe(17)
  for (const [i, r] of torn.rewards.flat().entries())
    expect(Math.abs(r - first.rewards.flat()[i])).toBeLessThan(1e-6)
  expect((await score()).cached).toBe(18)
  expect((await score('another')).cached).toBe(0)
  expect(scoreKey(examples[0], 0)).not.toBe(scoreKey(examples[0], 1))
  model.dispose()
})

test('clha reward score: the second run knows every answer and gives the same scores', async () => {
  const values = { rewardModel: files.reward, trainDataset: files.data, scoreCacheDir: tempFolder('scores') }
  const out = join(tempFolder('out'), 'scores.jsonl')
  const first = await calls(rewardScore, { ...values, outputFile: out })
  const before = fs.readFileSync(out, 'utf8')
  const second = await calls(rewardScore, { ...values, outputFile: out })
  expect(first.result).toMatchObject({ answers: 16, cached: 0 })
  expect(second.result).toMatchObject({ answers: 16, cached: 16 })
  expect(fs.readFileSync(out, 'utf8')).toBe(before)
})

test('data are scored and rescored into other files than they are read from', async () => {
  const outputDir = tempFolder('own-lists')
  const trainDataset = join(outputDir, 'rescored.jsonl')
  fs.copyFileSync(files.data, trainDataset)
  const values = { rewardModel: files.reward, trainDataset, outputDir }
  const refused = `${trainDataset}: is read and would be written over`
  await expect(calls(rewardScore, { ...values, outputFile: trainDataset })).rejects.toThrow(refused)
  await expect(calls(rescore, { ...values, labelError: 0.1, rewardTemperature: 1 })).rejects.toThrow(refused)
  await expect(calls(align, { ...values, modelNameOrPath: files.model })).rejects.toThrow(refused)
  expect(fs.readFileSync(trainDataset)).toEqual(fs.readFileSync(files.data))
})

test('no other file that is read is written over by the lists: held-out data, demonstrations, second labels, a reward function', async () => {
  const outputDir = tempFolder('own-inputs')
  const held = join(outputDir, 'rescored.jsonl')
  fs.copyFileSync(files.data, held)
  const values = { rewardModel: files.reward, trainDataset: files.data, outputDir }
  const refused = `${held}: is read and would be written over`
  const start = { ...values, modelNameOrPath: files.model }
  for (const key of ['evalDataset', 'sftDataset'])
    await expect(calls(align, { ...start, [key]: held })).rejects.toThrow(refused)
  await expect(calls(align, { ...start, relabels: [held] })).rejects.toThrow(refused)
  await expect(calls(rescore, { ...values, relabels: [held] })).rejects.toThrow(refused)
  await expect(calls(train, { ...start, evalDataset: held })).rejects.toThrow(refused)
  const rewardFunction = join(outputDir, 'reward.mjs')
  fs.writeFileSync(rewardFunction, 'export const score = () => 1')
  const scored = { trainDataset: files.data, rewardFunction, outputFile: rewardFunction }
  await expect(calls(rewardScore, scored)).rejects.toThrow('is read and would be written over')
  expect(fs.readFileSync(held)).toEqual(fs.readFileSync(files.data))
})

test('rescoring deletes the scores that it kept itself, and nothing else of the output folder', async () => {
  const values = {
    rewardModel: files.reward,
    trainDataset: files.data,
    labelError: 0.1,
    rewardTemperature: 1,
  }
  const outputDir = tempFolder('own-scores')
  const scores = join(outputDir, 'scores')
  fs.mkdirSync(scores)
  fs.writeFileSync(join(scores, 'mine.txt'), 'precious')
  await calls(rescore, { ...values, outputDir })
  expect(fs.readdirSync(scores)).toEqual(['mine.txt'])
  const named = join(tempFolder('named-scores'), 'scores')
  await calls(rescore, { ...values, outputDir: join(named, '..'), scoreCacheDir: named })
  expect(fs.readdirSync(named)).toHaveLength(1)
  const plain = tempFolder('no-scores')
  await calls(rescore, { ...values, outputDir: plain })
  expect(fs.existsSync(join(plain, 'scores'))).toBe(false)
})

test('rescore, then CLHA on its lists; a refused start or resume leaves every byte of the run', async () => {
  const rescored = tempFolder('lists')
  await calls(rescore, {
    rewardModel: files.reward,
    trainDataset: files.data,
    outputDir: rescored,
    labelError: 0.1,
    rewardTemperature: 1,
  })
  const outputDir = tempFolder('clha-run')
  const values = {
    ...SMALL,
    modelNameOrPath: files.model,
    trainDataset: join(rescored, 'rescored.jsonl'),
    outputDir,
  }
  const { result } = await calls(train, values)
  expect(result).toMatchObject({ steps: 4, stopped: false })
  const before = filesBelow(outputDir)
  await expect(calls(train, { ...values, margin: 2 })).rejects.toMatchObject({ exitCode: 2 })
  await expect(calls(train, { ...values, margin: 2, resumeFromCheckpoint: true })).rejects.toThrow(
    'margin: saved 1, now 2',
  )
  expect(filesBelow(outputDir)).toEqual(before)
})

test('other training data under the same settings is another run: resuming is refused', async () => {
  const outputDir = tempFolder('sft-run')
  const values = {
    ...SMALL,
    method: 'sft',
    modelNameOrPath: files.model,
    trainDataset: files.data,
    outputDir,
  }
  await calls(train, { ...values, maxSteps: 2 })
  await expect(
    calls(train, { ...values, maxSteps: 2, maxSamples: 6, resumeFromCheckpoint: true }),
  ).rejects.toThrow('items: saved')
  const end = await calls(train, { ...values, maxSteps: 2, saveTotalLimit: 7, resumeFromCheckpoint: true })
  expect(end.result.steps).toBe(2)
})

test('rewards of cross-fitted models: a run that has only its first fold goes on with the second', async () => {
  const outputDir = tempFolder('folds')
  const values = {
    ...SMALL,
    perDeviceTrainBatchSize: undefined,
    gradientAccumulationSteps: undefined,
    modelNameOrPath: files.model,
    trainDataset: files.data,
    outputDir,
    rewardPerDeviceTrainBatchSize: 2,
  }
  const { result } = await calls(rewardTrain, values)
  const second = fs.readFileSync(join(outputDir, 'fold-1', `checkpoint-${result.steps}`, 'model.safetensors'))
  fs.rmSync(join(outputDir, 'fold-1'), { recursive: true })
  await expect(calls(rewardTrain, values)).rejects.toMatchObject({ exitCode: 2 })
  const again = await calls(rewardTrain, { ...values, resumeFromCheckpoint: true })
  expect(
    fs
      .readFileSync(join(outputDir, 'fold-1', `checkpoint-${again.result.steps}`, 'model.safetensors'))
      .equals(second),
  ).toBe(true)
})
