import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { align } from '../../src/commands/align/align.js'
import { parseConfig } from '../../src/config/load-config.js'
import type { AlignReport } from '../../src/report/types.js'
import { makeStarterWorld } from '../../src/stations/starter/starter-world.js'
import { memory } from '../../src/tensor/index.js'
import { createUi } from '../../src/terminal/ui.js'
import { Sink } from '../helpers/sink.js'

let folder: string
let yaml: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clha-align-'))
  const { tokenizerDir } = await makeStarterWorld(3, folder, {
    trainPairs: 500,
    demonstrations: 200,
    testPrompts: 20,
  })
  yaml = `
train_dataset: ${join(folder, 'data/train.jsonl')}
eval_dataset: ${join(folder, 'data/test.jsonl')}
sft_dataset: ${join(folder, 'data/demonstrations.jsonl')}
tokenizer_name_or_path: ${tokenizerDir}
model_config: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 256}
max_length: 192
max_prompt_length: 128
test_fraction: 0
sft_learning_rate: 0.002
reward_learning_rate: 0.001
learning_rate: 0.001
per_device_train_batch_size: 32
gradient_accumulation_steps: 1
max_new_tokens: 12
min_confidence: 0.55
logging_steps: 1
output_dir: ${join(folder, 'run')}
`
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = async (flags: Record<string, unknown> = {}, text = yaml) => {
  const stream = new Sink()
  const result = await align(
    parseConfig('test', text, flags),
    createUi({ stream, isTty: false }),
    (async function* () {})(),
  )
  return { result, text: stream.text }
}

const report = () => JSON.parse(readFileSync(join(folder, 'run/report.json'), 'utf8')) as AlignReport

test('align goes from two files to a model, an audit and a report, and keeps no tensor', async () => {
  const before = memory().tensors
  const { result, text } = await run()
  expect(result.stopped).toBe(false)
  expect(existsSync(join(result.model, 'model.safetensors'))).toBe(true)
  for (const name of ['report.html', 'report.md', 'audit.html', 'rescored.jsonl', 'config.yaml']) {
    expect(existsSync(join(folder, 'run', name)), name).toBe(true)
  }
  expect(report().evaluation?.rows.map((row) => row.system)).toEqual(
    expect.arrayContaining(['start', 'clha']),
  )
  expect(report().evaluation?.rows.every((row) => row.reward && row.secondReward)).toBe(true)
  // The report begins with the conclusion, and has what `clha gate` asks for, as that of compare.
  const { judgements, measures } = report()
  expect(judgements?.map(({ who }) => who)).toEqual(
    expect.arrayContaining(['the second reward model', 'the reward model']),
  )
  expect(judgements?.[0].baseline).toBe('start')
  expect(measures?.systems.clha.winrate.interval).toHaveLength(2)
  expect(readFileSync(join(folder, 'run/report.html'), 'utf8')).toContain('class="headline"')
  expect(text).toMatch(/clha is (better|worse) than start\.|No difference between clha and start is shown\./)
  expect(text).toContain('pairs are contrasted')
  expect(memory().tensors).toBe(before)
}, 60_000)

test('a finished alignment is not run again: it resumes to the same report', async () => {
  const first = report()
  const started = process.cpuUsage()
  await run({ resume_from_checkpoint: true })
  expect(report().evaluation).toEqual(first.evaluation)
  expect(report().audit).toEqual(first.audit)
  const { user, system } = process.cpuUsage(started)
  expect((user + system) / 1e6).toBeLessThan(30)
}, 60_000)

test('without resuming, a folder that holds a run is refused and stays as it is', async () => {
  const before = readFileSync(join(folder, 'run/report.json'), 'utf8')
  await expect(run()).rejects.toThrow(/already holds a run/)
  expect(readFileSync(join(folder, 'run/report.json'), 'utf8')).toBe(before)
}, 60_000)

test('a resume under other settings is refused before anything is written, and so is one from another folder', async () => {
  const files = ['config.yaml', 'rescored.jsonl', 'report.json', 'audit.html']
  const contents = () => files.map((name) => readFileSync(join(folder, 'run', name), 'utf8'))
  const before = contents()
  for (const change of [{ min_confidence: 0.9 }, { margin: 2 }, { seed: 7 }]) {
    const [key] = Object.keys(change)
    await expect(run({ resume_from_checkpoint: true, ...change })).rejects.toThrow(
      new RegExp(`this would not be the same run:\\n {2}${key}: saved`),
    )
    expect(contents()).toEqual(before)
  }
  const other = { output_dir: join(folder, 'other'), resume_from_checkpoint: join(folder, 'run') }
  await expect(run(other)).rejects.toThrow(/resume_from_checkpoint: .*own checkpoint in output_dir/)
  expect(existsSync(join(folder, 'other'))).toBe(false)
}, 60_000)

test('a start that learns the chosen answers comes after the reward models, which must not know the labels', async () => {
  const own = yaml.replace(/^sft_dataset:.*$/m, '')
  const { text } = await run({ output_dir: join(folder, 'own') }, own)
  const { stations } = JSON.parse(readFileSync(join(folder, 'own/report.json'), 'utf8')) as AlignReport
  const names = stations?.map(({ name }) => name) ?? []
  expect(names.indexOf('reward model')).toBeLessThan(names.indexOf('start'))
  expect(text).toContain('reward models start from random weights')
}, 60_000)
