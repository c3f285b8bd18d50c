/** What `clha train` trains on and what it holds out, whatever the files call their rows. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { train } from '../../src/commands/train/train.js'
import { temporaryFolder } from '../helpers/folders.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, type Files, typed, writeFiles } from './eval-folder.js'

let files: Files
let folder: string

beforeAll(async () => {
  folder = tempFolder('train')
  files = await writeFiles(folder)
})

/** Pairs with their scores, numbered from 0 as many exports are. */
function numbered(name: string, first: number, count: number): string {
  const rows = Array.from({ length: count }, (_, id) => ({
    id: String(id),
    prompt: `Which colour has thing ${first + id}?`,
    chosen: ' It is blue.',
    rejected: ' I will not say.',
    score_chosen: 1 + (id % 3),
    score_rejected: 0,
  }))
  const path = join(folder, `${name}.jsonl`)
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

async function trained(values: Record<string, unknown>) {
  const outputDir = temporaryFolder()
  const { config, ui, screen } = await call({
    modelNameOrPath: files.model,
    trainDataset: numbered('train', 0, 20),
    evalDataset: numbered('eval', 100, 5),
    testFraction: 0,
    perDeviceTrainBatchSize: 20,
    gradientAccumulationSteps: 1,
    maxSteps: 1,
    minConfidence: 0.5,
    outputDir,
    maxNewTokens: undefined,
    ...values,
  })
  await train(config, ui, typed())
  return { screen: screen(), outputDir }
}

const settings = [
  { method: 'clha', labelError: 0.1, rewardTemperature: 1 },
  { method: 'pro', labelSource: 'reward', labelError: 0.1, rewardTemperature: 1 },
  { method: 'dpo', labelSource: 'reward', labelError: 0.1, rewardTemperature: 1 },
  { method: 'kto', labelSource: 'agreement', labelError: 0.1, rewardTemperature: 1 },
] as const

for (const values of settings) {
  test(`${values.method}: files that both number their rows from 0 stay apart`, async () => {
    const { screen, outputDir } = await trained(values)
    if (values.method !== 'kto') expect(screen).toMatch(/20 lists, .* · 5 lists held out/)
    const rows = readFileSync(join(outputDir, 'rescored.jsonl'), 'utf8').trimEnd().split('\n')
    expect(rows).toHaveLength(25)
    const metrics = readFileSync(join(outputDir, 'metrics.jsonl'), 'utf8')
    expect(metrics).toContain('eval_loss')
  })
}

test('steps of warm-up that the training does not have are said', async () => {
  const { screen } = await trained({ method: 'sft', warmupSteps: 1000, minConfidence: undefined })
  expect(screen).toMatch(
    /1,000 steps of warm-up in a training of 1: the learning rate never reaches its peak/,
  )
})

test('a training goes on from the start model that it began with, wherever that lies, and from no other', async () => {
  const values = { method: 'sft', minConfidence: undefined, modelNameOrPath: join(folder, 'copy') }
  cpSync(files.model, values.modelNameOrPath, { recursive: true })
  const { outputDir } = await trained(values)
  const on = { ...values, outputDir, resumeFromCheckpoint: true }
  await trained({ ...on, modelNameOrPath: files.model })
  const config = readFileSync(join(files.model, 'config.json'), 'utf8')
  writeFileSync(
    join(values.modelNameOrPath, 'config.json'),
    config.replace(/\}\s*$/, ', "rms_norm_eps": 0.01}'),
  )
  await expect(trained(on)).rejects.toThrow(/this would not be the same run:\n {2}start_model: saved "/)
})
