import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { experiment } from '../../src/commands/experiment/experiment.js'
import { rateKey } from '../../src/commands/experiment/plan-cells.js'
import { atEdge, beyondEdge } from '../../src/commands/experiment/tune.js'
import { parseConfig } from '../../src/config/load-config.js'
import { makeStarterWorld } from '../../src/stations/starter/starter-world.js'
import { memory } from '../../src/tensor/index.js'
import { createUi } from '../../src/terminal/ui.js'
import { Sink } from '../helpers/sink.js'
import { TEXT } from './small-experiment.js'

// Cells train and answer: minutes where the machine is shared.
const LONG = 300_000

let folder: string
const path = (name: string) => join(folder, name)
const quiet = () => createUi({ stream: new Sink(), env: {} })

const write = (text: string): string => {
  writeFileSync(path('small.yaml'), text)
  return path('small.yaml')
}

const run = (name: string, file = write(TEXT), options = {}) => {
  const results = path(`${name}.jsonl`)
  return experiment({ file, outputDir: path(name), results, ...options }, quiet())
}
const lines = (name: string) =>
  readFileSync(path(`${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
const table = (name: string) => readFileSync(join(path(name), 'table.csv'), 'utf8')

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'clha-experiment-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test(
  'all cells run once; what was finished is never run again, and what was lost comes out the same',
  async () => {
    const before = memory().tensors
    const first = await run('first')
    expect(first).toMatchObject({ cells: 6, finished: 6, failed: 0, stopped: false })
    expect(memory().tensors).toBe(before)
    expect(lines('first').length).toBe(6)
    expect((await run('first')).finished).toBe(6)
    expect(lines('first').length).toBe(6)
    // As a process leaves it that was killed in its fourth cell.
    const [a, b, c, d] = lines('first')
    writeFileSync(path('second.jsonl'), `${a}\n${b}\n${c}\n${d.slice(0, 100)}`)
    await run('second')
    expect(lines('second').slice(0, 3)).toEqual([a, b, c])
    expect(table('second')).toBe(table('first'))
    expect(readFileSync(join(path('first'), 'report.html'), 'utf8')).toContain('A small one')
  },
  LONG,
)

test(
  'a cell that fails says why, the others go on, and it is run again next time',
  async () => {
    const broken = TEXT.replace('  dpo: {method: dpo}', '  dpo: {method: dpo, ref_model: nowhere}').replace(
      '[0, 1]',
      '[0]',
    )
    await expect(run('broken', write(broken))).rejects.toThrow(
      /1 cell failed:\n {2}dpo, noise 0.25, seed 1: .*nowhere/,
    )
    expect(lines('broken').length).toBe(2)
    expect((await run('broken', write(TEXT.replace('[0, 1]', '[0]')))).finished).toBe(3)
  },
  LONG,
)

test(
  'a cell that contrasts next to nothing fails, unless its variant is said to',
  async () => {
    const text = TEXT.replace('[0, 1]', '[0]')
      .replace(
        'clha: {method: clha}',
        'clha: {method: clha, label_source: human, min_confidence: 0.9, sft_gate: "off"}',
      )
      .replace('  dpo: {method: dpo}\n', '')
      .replace('baseline: dpo', 'baseline: start')
    await expect(run('few', write(text.replace('few_pairs: [clha]\n', '')))).rejects.toThrow(
      /clha, noise 0.25, seed 1: only 0.0 % of the pairs are contrasted/,
    )
    expect((await run('few', write(text))).finished).toBe(2)
    const { figures } = JSON.parse(lines('few')[1])
    expect(figures.contrasted).toBe(0)
    for (const name of [
      'order_right_label',
      'order_right_reward',
      'order_right_posterior',
      'sampled_true',
      'sampled_second',
    ])
      expect(figures[name]).toBeTypeOf('number')
  },
  LONG,
)

test(
  'labels of real data are reversed for training alone: the judge learns them as they were, held-out ones are counted',
  async () => {
    const { tokenizerDir } = await makeStarterWorld(3, path('own'), {
      trainPairs: 680,
      noise: 0,
      demonstrations: 50,
    })
    const own = `train_dataset: ${path('own')}/data/train.jsonl\n  tokenizer_name_or_path: ${tokenizerDir}\n  test_fraction: 0.2\n  eval_prompts: 6`
    const text = TEXT.replace(/world.*\n/, 'second_labels: 60\n')
      .replace('[0.25]', '[0, 0.25]')
      .replace('[0, 1]', '[0]')
      .replace('base:\n', `base:\n  ${own}\n`)
      .replace('  dpo: {method: dpo}\n', '')
      .replace('baseline: dpo', 'baseline: start')
    expect((await run('real', write(text))).finished).toBe(4)
    const cells = lines('real').map((line) => JSON.parse(line))
    const of = (level: number) => cells.find(({ noise, variant }) => noise === level && variant === 'clha')
    expect(of(0).figures).toMatchObject({ order_right_label: 1 })
    expect(of(0.25).figures.order_right_label).toBeGreaterThan(0.65)
    expect(of(0.25).figures.order_right_label).toBeLessThan(0.85)
    expect(of(0.25).figures.label_error_low).toBeGreaterThan(0.05)
    expect(of(0).rewards.labels.length).toBeGreaterThan(50)
    expect(new Set(of(0).rewards.labels)).toEqual(new Set([0, 1]))
    const judges = readdirSync(path('real'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /reward-second.checkpoint-\d+.model\.safetensors$/.test(name))
      .map((name) => readFileSync(join(path('real'), name)))
    expect(judges.length).toBe(2)
    expect(judges[0].equals(judges[1])).toBe(true)
    expect(readFileSync(join(path('real'), 'table.md'), 'utf8')).toContain('held-out labels likelier')
  },
  LONG,
)

test(
  'demonstrations of sft_dataset make the start model of an experiment on real data; on other data cells are run again',
  async () => {
    const { tokenizerDir } = await makeStarterWorld(3, path('shown'), { trainPairs: 680, demonstrations: 50 })
    const data = join(path('shown'), 'data')
    const own = `train_dataset: ${data}/train.jsonl\n  sft_dataset: ${data}/demonstrations.jsonl\n  tokenizer_name_or_path: ${tokenizerDir}\n  test_fraction: 0.2\n  eval_prompts: 6`
    const text = TEXT.replace(/world.*\n/, '')
      .replace(/noise.*\n/, '')
      .replace('[0, 1]', '[0]')
      .replace('base:\n', `base:\n  ${own}\n`)
      .replace(/ {2}(dpo|clha): .*\n/g, '')
      .replace('few_pairs: [clha]\n', '')
      .replace('baseline: dpo', 'baseline: start')
    expect((await run('with-demonstrations', write(text))).finished).toBe(1)
    const [start] = readdirSync(path('with-demonstrations')).filter((name) => name.startsWith('start-'))
    const state = readdirSync(join(path('with-demonstrations'), start, 'start'), {
      recursive: true,
      encoding: 'utf8',
    })
      .filter((name) => name.endsWith('trainer_state.json'))
      .map((name) =>
        JSON.parse(readFileSync(join(path('with-demonstrations'), start, 'start', name), 'utf8')),
      )
    // Two steps of 32: as many as 50 demonstrations fill, not the 500 and more pairs.
    expect(state.at(-1).global_step).toBe(2)
    // The same settings on other data are no finished cell.
    expect((await run('with-demonstrations', write(text))).finished).toBe(1)
    expect(lines('with-demonstrations').length).toBe(1)
    const rows = readFileSync(`${data}/demonstrations.jsonl`, 'utf8').split('\n')
    writeFileSync(`${data}/demonstrations.jsonl`, `${rows.slice(0, 20).join('\n')}\n`)
    const other = await run('with-demonstrations', write(text))
    expect(other).toMatchObject({ finished: 1, failed: 0 })
    const [first, second] = lines('with-demonstrations').map((line) => JSON.parse(line))
    expect(second.hash).toBe(first.hash)
    expect(second.rewards).not.toEqual(first.rewards)
  },
  LONG,
)

test(
  '--tune tries every rate for every method, on other prompts, and the runs take the best',
  async () => {
    const tuned = `${TEXT.replace('[0, 1]', '[0]')}tune: {seed: 9, noise: 0.2, learning_rates: [1.0e-4, 1.0e-3], beta_factors: [0.5, 2], results: ${path('rates.json')}}\n`
    const file = write(tuned)
    const outcome = await run('tuned', file, { tune: true })
    const { rates, betas, tried } = JSON.parse(readFileSync(path('rates.json'), 'utf8'))
    expect(Object.keys(rates)).toEqual(['dpo/sigmoid', 'clha'])
    // Two values have no inside: the grid is widened by one value, twice at most.
    const ratesOf = (name: string) =>
      new Set(
        tried.flatMap((t: { method: string; learningRate: number }) =>
          t.method === name ? t.learningRate : [],
        ),
      )
    for (const name of ['dpo/sigmoid', 'clha']) {
      expect([...ratesOf(name)]).toEqual(expect.arrayContaining([1e-4, 1e-3]))
      expect(ratesOf(name).size).toBeOneOf([3, 4])
    }
    expect(outcome).toMatchObject({ cells: tried.length, finished: tried.length, failed: 0 })
    expect(betas['dpo/sigmoid']).not.toBeOneOf([undefined, 0.1])
    // Called again it tries nothing anew: betas are factors of the usual one, not of the one that was found.
    const again = await run('tuned', file, { tune: true })
    expect(again).toMatchObject({ failed: 0, stopped: false })
    expect(JSON.parse(readFileSync(path('rates.json'), 'utf8')).tried).toEqual(tried)
    writeFileSync(
      path('rates.json'),
      JSON.stringify({ rates: { 'dpo/sigmoid': 7e-4, clha: 8e-4 }, tried: [] }),
    )
    await run('tuned', file)
    expect(lines('tuned').map((line) => JSON.parse(line).learningRate)).toEqual([0, 7e-4, 8e-4])
  },
  LONG,
)

test('what was tried with another seed, or other noise, is not taken for tried; a file of something else is told', async () => {
  const rates = path('other-rates.json')
  const file = write(`${TEXT}tune: {seed: 9, noise: 0.2, learning_rates: [1.0e-4], results: ${rates}}\n`)
  const tried = [{ method: 'clha', learningRate: 1e-4, reward: 1 }]
  writeFileSync(rates, JSON.stringify({ seed: 8, noise: 0.2, rates: { clha: 1e-4 }, tried }))
  await expect(run('other-tuned', file, { tune: true })).rejects.toThrow(
    /other-rates\.json: tried with seed 8, noise 0\.2; .*small\.yaml tunes with seed 9, noise 0\.2/,
  )
  writeFileSync(rates, '{"rates"')
  await expect(run('other-tuned', file)).rejects.toThrow(
    /tune\.results: .*other-rates\.json: not what --tune writes/,
  )
})

test('what a rate is tuned for: the method with its loss, its data, its anchor, and what it begins with', () => {
  const key = (yaml: string, before?: string) => rateKey(parseConfig('my.yaml', yaml), before)
  expect(key('method: clha')).toBe('clha')
  expect(key('method: dpo\nloss_type: robust')).toBe('dpo/robust')
  expect(key('method: dpo\nlabel_source: posterior\nsft_weight: 1')).toBe(
    'dpo/sigmoid, label_source posterior, sft_weight 1',
  )
  expect(key('method: dpo', 'sft')).toBe('dpo/sigmoid, after sft')
})

test('a best value at the edge of what was tried is told', () => {
  const tried = (method: string, rewards: number[], beta?: number) =>
    rewards.map((reward, i) => ({ method, learningRate: 10 ** -i, beta, reward }))
  expect(atEdge([...tried('inside', [0, 2, 1]), ...tried('edge', [3, 2, 1]), ...tried('one', [1])])).toEqual([
    'edge',
  ])
})

test('a grid is widened by the factor of its last two values where the best is at its edge', () => {
  const grid = [0.03, 0.1, 0.3]
  expect(beyondEdge(0.3, [0.03, 0.3, 0.1], grid)).toBe(0.9)
  expect(beyondEdge(0.03, [0.03, 0.3, 0.1], grid)).toBe(0.009)
  expect(beyondEdge(0.1, grid, grid)).toBeUndefined()
  expect(beyondEdge(1, [1], [1])).toBeUndefined()
  // Twice at most.
  expect(beyondEdge(0.9, [...grid, 0.9], grid)).toBe(2.7)
  expect(beyondEdge(2.7, [...grid, 0.9, 2.7], grid)).toBeUndefined()
})
