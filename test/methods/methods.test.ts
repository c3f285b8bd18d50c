import * as fs from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { generatePipeline } from '../../src/commands/generate/generate.js'
import { train } from '../../src/commands/train/train.js'
import { answeringTemplate } from '../../src/load/answering-template.js'
import { loadLanguageModel } from '../../src/load/language-model.js'
import { hindsight } from '../../src/methods/hindsight.js'
import { pairsOf } from '../../src/methods/items.js'
import { METHOD_NAMES, METHODS } from '../../src/methods/registry.js'
import type { RankedList } from '../../src/rescore/ranked.js'
import { readMetrics } from '../../src/runs/metrics.js'
import { withMarker } from '../../src/text/marker.js'
import { chatTemplate } from '../../src/text/template.js'
import type { TextTokenizer } from '../../src/text/tokenizer.js'
import { call, type Files, pairs, typed, writeFiles } from '../commands/eval-folder.js'
import { figuresOf } from '../helpers/metrics.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { filesBelow } from '../train/tiny.js'

let files: Files
let judged: string
let scored: string
beforeAll(async () => {
  files = await writeFiles(tempFolder('methods'))
  judged = join(files.dir, 'judged.jsonl')
  const rows = pairs.flatMap(({ prompt, chosen, rejected }, i) => [
    { prompt, completion: i % 2 ? chosen : rejected, label: i % 2 === 1 },
  ])
  fs.writeFileSync(judged, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  scored = join(files.dir, 'scored.jsonl')
  const margins = pairs.map((p, i) => ({ ...p, score_chosen: i - 2.5, score_rejected: 2.5 - i }))
  fs.writeFileSync(scored, margins.map((row) => `${JSON.stringify(row)}\n`).join(''))
})

/** Eight examples train in a moment. */
const SMALL = {
  devFraction: 0.25,
  loadBestModelAtEnd: false,
  perDeviceTrainBatchSize: 3,
  gradientAccumulationSteps: 1,
  learningRate: 1e-3,
  maxSteps: 3,
  loggingSteps: 1,
}

async function run(values: Record<string, unknown>) {
  const outputDir = (values.outputDir as string | undefined) ?? tempFolder('method-run')
  const start = { modelNameOrPath: files.model, trainDataset: files.data }
  const own = { outputDir, maxNewTokens: undefined }
  const { config, ui, screen } = await call({ ...SMALL, ...start, ...values, ...own })
  const result = await train(config, ui, typed())
  const rows = figuresOf(readMetrics(join(outputDir, 'metrics.jsonl')).rows)
  return { result, rows, outputDir, screen: screen() }
}

const REWARDS = { rewardColumn: 'score', rewardTemperature: 1, labelError: 0.2 }

describe('every method trains from one command', () => {
  test.each(METHOD_NAMES)('%s', async (method) => {
    const asksForRewards = ['clha', 'pro', 'rrhf', 'infonca', 'bon'].includes(method)
    const unit = method === 'bon' ? { rewardColumn: 'score' } : REWARDS
    const values = asksForRewards ? { trainDataset: scored, ...unit } : {}
    const { result, rows } = await run({ method, ...values })
    expect(result.steps).toBe(3)
    const losses = rows.flatMap((row) => (row.loss === undefined ? [] : [row.loss]))
    expect(losses).toHaveLength(3)
    expect(losses.every(Number.isFinite)).toBe(true)
    expect(rows.some((row) => Number.isFinite(row.eval_loss))).toBe(true)
  })

  test.each([
    'robust',
    'ipo',
    'exo_pair',
    'aot',
    'aot_unpaired',
    'bco_pair',
    'discopop',
    'dpop',
    'dr_dpo',
    'ropo',
  ])('dpo, loss_type %s', async (lossType) => {
    const { rows } = await run({ method: 'dpo', lossType })
    expect(Number.isFinite(rows[0].loss)).toBe(true)
  })

  test.each(['rpo_sq', 'odpo'])('dpo, loss_type %s, takes the gap of the rewards', async (lossType) => {
    const { rows } = await run({ method: 'dpo', lossType, trainDataset: scored, ...REWARDS })
    expect(Number.isFinite(rows[0].loss)).toBe(true)
  })

  test('RPO-EM logs the reliability that it believes, which is part of the checkpoint', async () => {
    const { rows, outputDir } = await run({ method: 'dpo', lossType: 'rpo_em', saveSteps: 3 })
    // The policy equals the reference at first, so it has nothing to say about the labels.
    expect(rows[0].reliability).toBeCloseTo(0.75, 6)
    const state = Object.keys(filesBelow(outputDir)).find((file) => file.endsWith('training_state.json'))
    expect(fs.readFileSync(join(outputDir, state as string), 'utf8')).toMatch(/"reliability": ?0\.\d+/)
  })

  test('a mix of losses, weights of the policy, and lengths that count less', async () => {
    const mix = { lossType: ['sigmoid', 'bco_pair', 'sft'], lossWeights: [0.8, 0.2, 1] }
    const { rows } = await run({ method: 'dpo', ...mix })
    expect(rows[0].rank_loss + rows[0].nll_loss).toBeCloseTo(rows[0].loss, 5)
    // At the start both losses are known: 0.8 ln 2 + 0.2 * 2 ln 2.
    expect(rows[0].rank_loss).toBeCloseTo(1.2 * Math.log(2), 4)
    const whole = await run({ method: 'dpo' })
    const weighted = await run({ method: 'dpo', useWeighting: true })
    expect(weighted.rows[0].loss).not.toBeCloseTo(whole.rows[0].loss, 3)
    const short = await run({ method: 'dpo', ldAlpha: 0 })
    expect(short.rows[0].loss).toBeCloseTo(Math.log(2), 4)
    const losses = ({ rows: all }: typeof whole) => all.flatMap(({ loss }) => loss ?? [])
    expect(losses(short)[2]).not.toBe(losses(whole)[2])
  })

  test.each(['kto', 'bco'] as const)('%s on answers that were judged one by one', async (method) => {
    const { rows } = await run({ method, trainDataset: judged, maxSteps: 4 })
    const seen = Object.keys(Object.assign({}, ...rows))
    expect(seen).toContain('rewards/chosen')
    expect(seen).toContain('rewards/rejected')
    expect(METHODS[method].logs).toEqual([method === 'kto' ? 'kl' : 'delta'])
    expect(seen).toEqual(expect.arrayContaining([...(METHODS[method].logs ?? [])]))
  })

  test.each(['kto', 'bco'] as const)('%s: the SFT term imitates no undesirable answer', async (method) => {
    const bad = join(files.dir, 'bad.jsonl')
    const answers = fs.readFileSync(judged, 'utf8').trimEnd().split('\n')
    fs.writeFileSync(bad, answers.filter((row) => row.includes('"label":false')).join('\n'))
    const settings = { method, sftWeight: 1, devFraction: 0 }
    const { rows } = await run({ ...settings, trainDataset: bad })
    expect(rows[0]).toMatchObject({ 'sft_gate/mean': 0, sft_loss: 0 })
    const mixed = await run({ ...settings, trainDataset: judged, perDeviceTrainBatchSize: 8, maxSteps: 1 })
    expect(mixed.rows[0]['sft_gate/mean']).toBe(0.5)
    expect(mixed.rows[0].sft_loss).toBeGreaterThan(0)
  })

  test('a pairwise loss on lists that the rewards ordered, with a soft weight and the gated SFT term', async () => {
    const { rows } = await run({
      method: 'dpo',
      trainDataset: scored,
      ...REWARDS,
      labelSource: 'posterior',
      pairWeight: 'soft',
      sftWeight: 0.5,
      sftGate: 'soft',
    })
    expect(rows[0].rank_loss + rows[0].sft_loss).toBeCloseTo(rows[0].loss, 5)
    expect(rows[0]['pairs/weight']).toBeLessThan(1)
    // The mean gate, under its name and under that of version 0.1.0.
    expect(rows[0]['sft_gate/mean']).toBeLessThan(1)
    expect(rows[0]['sft_weight/mean']).toBe(rows[0]['sft_gate/mean'])
  })
})

test('DPO starts at ln 2: the reference is the start model', async () => {
  const { rows, outputDir } = await run({ method: 'dpo' })
  expect(rows[0].loss).toBeCloseTo(Math.log(2), 5)
  expect(rows[0]['rewards/margins']).toBeCloseTo(0, 5)
  expect(fs.readdirSync(join(outputDir, 'reference'))).toHaveLength(1)
  const other = await run({ method: 'dpo', refModel: files.other })
  expect(Math.abs(other.rows[0].loss - Math.log(2))).toBeGreaterThan(1e-3)
})

test('in mixed precision the reference is computed as the policy is, and not taken for one of float32', async () => {
  const { rows, outputDir } = await run({ method: 'dpo', bf16: true })
  expect(rows[0].loss).toBeCloseTo(Math.log(2), 5)
  expect(rows[0]['rewards/margins']).toBeCloseTo(0, 5)
  const reference = join(outputDir, 'reference')
  const scoreCacheDir = tempFolder('cache')
  fs.cpSync(reference, scoreCacheDir, { recursive: true })
  const wide = await run({ method: 'dpo', scoreCacheDir })
  expect(wide.rows[0].loss).toBeCloseTo(Math.log(2), 5)
  expect(fs.readdirSync(scoreCacheDir)).toHaveLength(2)
})

test('with an adapter the reference is the model without it', async () => {
  const first = await run({ method: 'dpo', usePeft: true, learningRate: 0.05 })
  expect(first.rows[0].loss).toBeCloseTo(Math.log(2), 5)
  // Gone on with, the adapter is no identity; the reference is still the base.
  const next = await run({ method: 'dpo', modelNameOrPath: first.result.model })
  expect(Math.abs(next.rows[0]['rewards/margins'])).toBeGreaterThan(1e-4)
})

test.each(['bco', 'kto', 'dpo'])(
  '%s: stopped and resumed, the weights are those of the whole run',
  async (method) => {
    const whole = await run({ method, maxSteps: 4, saveSteps: 2, saveTotalLimit: 5 })
    const dir = tempFolder('resumed')
    fs.cpSync(whole.outputDir, dir, { recursive: true })
    for (const name of fs.readdirSync(dir))
      if (/^checkpoint-[34]$/.test(name)) fs.rmSync(join(dir, name), { recursive: true })
    fs.rmSync(join(dir, 'reference'), { recursive: true })
    const { screen } = await run({
      method,
      maxSteps: 4,
      saveSteps: 2,
      saveTotalLimit: 5,
      outputDir: dir,
      resumeFromCheckpoint: true,
    })
    expect(screen).toContain(`${method}: goes on after step 2 of 4`)
    expect(whole.screen).not.toContain('goes on')
    const weights = (d: string) => filesBelow(join(d, 'checkpoint-4'))['model.safetensors']
    expect(weights(dir)).toBe(weights(whole.outputDir))
  },
)

test('a method that learns from preferences refuses data without any', async () => {
  await expect(run({ method: 'dpo', trainDataset: judged })).rejects.toMatchObject({ exitCode: 2 })
  await expect(run({ method: 'dpo', labelSource: 'reward' })).rejects.toThrow('orders answers by rewards')
  await expect(run({ method: 'dpo', sftWeight: 1, sftGate: 'hard' })).rejects.toMatchObject({
    message: 'sft_gate: hard weighs the SFT term by rewards, and the data has none',
    hint: expect.stringMatching(/^set sft_gate: off/),
  })
})

const list = (n: number): RankedList => ({
  example: {
    id: 'x',
    prompt: 'Q?',
    candidates: Array.from({ length: n }, (_, i) => ({ text: ` answer ${i}` })),
    preferences: [],
    source: '',
    file: 'f',
    row: 1,
  },
  rewards: new Array(n).fill(0),
  order: Array.from({ length: n }, (_, i) => i),
  pairs: Array.from({ length: n }, (_, better) =>
    Array.from({ length: n - better - 1 }, (_, d) => ({
      better,
      worse: better + d + 1,
      distance: d + 1,
      belief: 0.9,
      weight: 1,
    })),
  ).flat(),
  sft: { index: 0, weight: 1 },
  labels: [],
})

test('list_pairs: all of a list of four are 6 pairs, neighbours 3, the best with the rest 3', () => {
  const names = (which: 'all' | 'adjacent' | 'best_vs_rest') =>
    pairsOf(list(4), which).map(({ better, worse }) => `${better}${worse}`)
  expect(names('all')).toEqual(['01', '02', '03', '12', '13', '23'])
  expect(names('adjacent')).toEqual(['01', '12', '23'])
  expect(names('best_vs_rest')).toEqual(['01', '02', '03'])
})

const markers = { positive: ' Good:', negative: ' Bad:' }
const plain = await chatTemplate({} as TextTokenizer, 'plain')

test('chain of hindsight: the four forms as sequences, each answer scored alone', () => {
  const sequences = hindsight(list(2), list(2).pairs, plain, markers)
  expect(
    sequences.map(({ example, weight }) => [example.prompt, example.candidates[0].text, weight]),
  ).toEqual([
    ['Q? Good:', ' answer 0', 2],
    ['Q? Bad:', ' answer 1', 2],
    ['Q? Bad: answer 1 Good:', ' answer 0', 1],
    ['Q? Good: answer 0 Bad:', ' answer 1', 1],
  ])
})

test('a dialogue keeps its template, the marker behind it and a space before the answer', async () => {
  const marked = withMarker(await chatTemplate({} as TextTokenizer, 'hh'), ' Good:')
  const prompt = [{ role: 'user' as const, content: 'Hi' }]
  expect(marked.prompt(prompt)).toBe('\n\nHuman: Hi\n\nAssistant: Good:')
  expect(marked.answer('Hello.', prompt)).toBe(' Hello.')
})

test('a model that chain of hindsight trained is asked behind the positive marker, wherever it answers', async () => {
  const { result } = await run({ method: 'coh', cohPositive: ' Good:' })
  const lm = await loadLanguageModel(result.model, 'f32')
  const template = await answeringTemplate(lm)
  expect(template.prompt('Q?')).toBe('Q? Good:')
  expect(await answeringTemplate({ ...lm, template })).toBe(template)
  lm.model.dispose()
  const start = await loadLanguageModel(files.model, 'f32')
  expect(await answeringTemplate(start)).toBe(start.template)
  start.model.dispose()
  const { config, ui } = await call({ modelNameOrPath: result.model, prompt: ['Q?'], maxNewTokens: 4 })
  const answered = await generatePipeline(config, ui, typed())
  expect(answered.answers).toHaveLength(1)
})
