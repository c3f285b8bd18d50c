import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { align } from '../../src/commands/align/align.js'
import { parseConfig } from '../../src/config/load-config.js'
import type { AlignReport } from '../../src/report/types.js'
import type { RankedList } from '../../src/rescore/ranked.js'
import { readRankedJsonl } from '../../src/rescore/ranked-jsonl.js'
import { makeStarterWorld } from '../../src/stations/starter/starter-world.js'
import { memory } from '../../src/tensor/index.js'
import { createUi } from '../../src/terminal/ui.js'
import { Sink } from '../helpers/sink.js'

let folder: string
let yaml: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clha-rounds-'))
  const sizes = { trainPairs: 128, demonstrations: 128, testPrompts: 12 }
  const { tokenizerDir } = await makeStarterWorld(3, folder, sizes)
  yaml = `
train_dataset: ${join(folder, 'data/train.jsonl')}
eval_dataset: ${join(folder, 'data/test.jsonl')}
sft_dataset: ${join(folder, 'data/demonstrations.jsonl')}
tokenizer_name_or_path: ${tokenizerDir}
model_config: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 256}
max_length: 192
max_prompt_length: 128
sft_learning_rate: 0.002
reward_learning_rate: 0.001
learning_rate: 0.001
per_device_train_batch_size: 16
gradient_accumulation_steps: 1
max_new_tokens: 8
eval_batch_size: 64
min_confidence: 0.55
label_error: 0.25
reward_temperature: 1
logging_steps: 1
eval_generation_steps: 4
rounds: 3
round_samples: 1
output_dir: ${join(folder, 'run')}
`
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = async (flags: Record<string, unknown> = {}) => {
  const stream = new Sink()
  const ui = createUi({ stream, isTty: false })
  const result = await align(parseConfig('test', yaml, flags), ui, (async function* () {})())
  const report = JSON.parse(readFileSync(join(folder, 'run/report.json'), 'utf8')) as AlignReport
  return { result, text: stream.text, report }
}

const lists = async (round: number) => {
  const path = join(folder, round === 1 ? 'run' : `run/round-${round}`, 'rescored.jsonl')
  const found: RankedList[] = []
  for await (const list of readRankedJsonl(path)) found.push(list)
  return found
}

test('each round samples from the policy before it, ranks its answers beside the given ones and trains on', async () => {
  const before = memory().tensors
  const { result, text, report } = await run()
  expect(result.model).toContain(join('run', 'round-3', 'checkpoint-'))
  const [first, second, third] = [await lists(1), await lists(2), await lists(3)]
  for (const list of first) expect(list.rewards).toHaveLength(2)
  for (const [n, round] of [
    [1, second],
    [2, third],
  ] as const) {
    const origins = round.flatMap(({ example }) => example.candidates.slice(2).map((c) => c.origin))
    expect(origins.length).toBeGreaterThan(0)
    for (const origin of origins)
      expect(origin).toMatch(new RegExp(`^policy of round ${n}, temperature 1, seed`))
    // A new answer is compared with both given ones.
    const whole = round.find((list) => list.rewards.length === 3)
    expect(whole?.pairs).toHaveLength(3)
    expect(round.map(({ labels }) => labels.length)).toEqual(first.map(({ labels }) => labels.length))
  }
  const systems = report.evaluation?.rows.filter((row) => row.source === 'total') ?? []
  expect(systems.map(({ system }) => system)).toEqual(['start', 'round 1', 'round 2', 'clha'])
  expect(systems.every(({ reward, secondReward }) => reward && secondReward)).toBe(true)
  expect(report.notes?.join()).toContain('clha is that of the last, round 3')
  expect(report.curves?.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['clha round 1', 'clha round 2', 'clha round 3']),
  )
  expect(text).toMatch(/answers of the policy, mean reward .*; of the given ones/)
  expect(memory().tensors).toBe(before)
}, 120_000)

test('the same prompts are answered during every round, with entropy and distance to where the round began', () => {
  for (const stage of ['clha', 'round-2', 'round-3']) {
    const dir = join(folder, 'run', stage)
    const steps = readdirSync(dir).filter((name) => name.startsWith('samples-'))
    expect(steps).toContain('samples-4.jsonl')
    const rows = readFileSync(join(dir, 'metrics.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((l) => JSON.parse(l))
    const { 'eval_generated/entropy': entropy, 'eval_generated/kl': kl } = rows.find(
      (row) => row.step === 4 && 'eval_generated/entropy' in row,
    )
    expect(entropy).toBeGreaterThan(0)
    expect(kl).toBeGreaterThan(0)
  }
  const prompts = (name: string) =>
    readFileSync(join(folder, 'run', name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((l) => JSON.stringify(JSON.parse(l).prompt))
  expect(prompts('clha/samples-4.jsonl')).toEqual(prompts('round-3/samples-8.jsonl'))
})

test('a round that is there already is not run again, and one that is gone is made anew to the same lists', async () => {
  const third = await lists(3)
  const first = await run({ resume_from_checkpoint: true })
  rmSync(join(folder, 'run/round-3'), { recursive: true })
  const second = await run({ resume_from_checkpoint: true })
  expect(second.text).toContain('round 3')
  expect(await lists(3)).toEqual(third)
  expect(second.report.evaluation).toEqual(first.report.evaluation)
  expect(existsSync(join(folder, 'run/round-3/audit.html'))).toBe(true)
}, 120_000)

test('rounds are not for legacy; their settings need rounds', () => {
  const load = (flags: Record<string, unknown>) => () => parseConfig('test', 'train_dataset: x', flags)
  expect(load({ mode: 'legacy', rounds: 2 })).toThrow('lists of one length')
  expect(load({ round_samples: 4 })).toThrow('rounds: 1 samples nothing')
})
