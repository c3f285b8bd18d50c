// What can be known at the start is looked at first: before a model is loaded, an answer scored, a step trained.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { align } from '../../src/commands/align/align.js'
import { rescore } from '../../src/commands/rescore/rescore.js'
import { rewardTrain } from '../../src/commands/reward-train/reward-train.js'
import { train } from '../../src/commands/train/train.js'
import { EXIT } from '../../src/exit-codes.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, type Files, pairs, typed, writeFiles } from './eval-folder.js'

let files: Files
/** 200 pairs. */
let many: string
/** Folders whose weights can't be read: loading one is an error of its own. */
let broken: { model: string; reward: string }
beforeAll(async () => {
  files = await writeFiles(tempFolder('early'))
  many = join(files.dir, 'many.jsonl')
  const rows = Array.from({ length: 200 }, (_, i) => {
    const { prompt, ...rest } = pairs[i % pairs.length]
    return { ...rest, prompt: [{ role: 'user', content: `${prompt[0].content} (${i})` }] }
  })
  fs.writeFileSync(many, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  broken = {
    model: copyOf('model', () => Buffer.alloc(10)),
    reward: copyOf('reward', () => Buffer.alloc(10)),
  }
}, 60_000)

function copyOf(name: 'model' | 'reward', change: (weights: Buffer) => Buffer): string {
  const dir = join(tempFolder('changed'), name)
  fs.cpSync(files[name], dir, { recursive: true })
  const weights = join(dir, 'model.safetensors')
  fs.writeFileSync(weights, change(fs.readFileSync(weights)))
  return dir
}

type Run = (config: never, ui: never, input: never) => Promise<object>

async function run(pipeline: unknown, values: Record<string, unknown>): Promise<string> {
  const { config, ui, screen } = await call({ ...values, maxNewTokens: undefined })
  await (pipeline as Run)(config as never, ui as never, typed() as never)
  return screen()
}

const TOO_FEW = { exitCode: EXIT.usage, message: expect.stringMatching(/: 8 labelled pairs, at least 200/) }

test('rescore: labels too few to calibrate are known before the reward model is loaded', async () => {
  await expect(run(rescore, { trainDataset: files.data, rewardModel: broken.reward })).rejects.toMatchObject(
    TOO_FEW,
  )
  // The folder really can't be loaded.
  await expect(run(rescore, { trainDataset: many, rewardModel: broken.reward })).rejects.not.toMatchObject(
    TOO_FEW,
  )
})

test('train: missing rewards and too few labels are known before the model is loaded', async () => {
  const values = { trainDataset: files.data, modelNameOrPath: broken.model, method: 'clha', devFraction: 0 }
  const more = { loadBestModelAtEnd: false }
  await expect(run(train, { ...values, ...more })).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('the data has none'),
  })
  await expect(run(train, { ...values, ...more, rewardModel: broken.reward })).rejects.toMatchObject(TOO_FEW)
})

test('align: labels too few in a fold are known before the first training', async () => {
  const outputDir = tempFolder('early-align')
  const values = { trainDataset: files.data, modelNameOrPath: files.model, outputDir, folds: 2 }
  await expect(run(align, { ...values, testFraction: 0 })).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringMatching(/fold 0: \d labelled pairs, at least 200/),
  })
  expect(fs.readdirSync(outputDir).filter((name) => /reward|start/.test(name))).toEqual([])
})

test('reward train: a fold without examples is known before the first training', async () => {
  const outputDir = tempFolder('early-folds')
  const values = { trainDataset: files.data, modelNameOrPath: files.model, outputDir, devFraction: 0 }
  await expect(run(rewardTrain, { ...values, folds: 20, loadBestModelAtEnd: false })).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringMatching(/^folds: 20: fold \d+ has none of the 8 lists with preferences$/),
  })
  expect(fs.readdirSync(outputDir).filter((name) => name.startsWith('fold'))).toEqual([])
})

/** Weights whose reward is the same for everything. */
function withoutHead(weights: Buffer): Buffer {
  const length = Number(weights.readBigUInt64LE(0))
  const header = JSON.parse(weights.subarray(8, 8 + length).toString()) as Record<
    string,
    { data_offsets: [number, number] }
  >
  const name = Object.keys(header).find((key) => key.startsWith('score')) as string
  const [from, to] = header[name].data_offsets
  return weights.fill(0, 8 + length + from, 8 + length + to)
}

test('scores outlive a calibration that fails: the next run in the folder knows them', async () => {
  const rewardModel = copyOf('reward', withoutHead)
  const outputDir = tempFolder('early-kept')
  const values = { trainDataset: many, rewardModel, outputDir }
  await expect(run(rescore, values)).rejects.toThrow(
    'at least half of the 200 labelled pairs have equal rewards',
  )
  expect(fs.readdirSync(join(outputDir, 'scores'))).toHaveLength(1)
  const said = await run(rescore, { ...values, rewardTemperature: 1, labelError: 0.25 })
  expect(said).toContain('400 of them were known')
  // They stand in the lists now.
  expect(fs.existsSync(join(outputDir, 'scores'))).toBe(false)
  expect(fs.existsSync(join(outputDir, 'rescored.jsonl'))).toBe(true)
})
