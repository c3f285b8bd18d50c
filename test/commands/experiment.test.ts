import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { experiment } from '../../src/commands/experiment/experiment.js'
import { planCells, rateKey } from '../../src/commands/experiment/plan-cells.js'
import { atEdge, beyondEdge } from '../../src/commands/experiment/tune.js'
import { readExperiment } from '../../src/config/experiment-file.js'
import { parseConfig } from '../../src/config/load-config.js'
import { makeStarterWorld } from '../../src/stations/starter/starter-world.js'
import { memory } from '../../src/tensor/index.js'
import { createUi } from '../../src/terminal/ui.js'
import { Sink } from '../helpers/sink.js'

// Cells train and answer: minutes where the machine is shared.
const LONG = 300_000

const TEXT = `
title: A small one
baseline: dpo
seeds: [1]
world: {train_pairs: 480, test_prompts: 12, demonstrations: 100}
noise: [0.25]
augmented: [0, 1]
results: unused.jsonl
base:
  model_config: {hidden_size: 16, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 256}
  sft_num_train_epochs: 1
  reward_num_train_epochs: 1
  num_train_epochs: 0.1
  per_device_train_batch_size: 8
  max_new_tokens: 8
few_pairs: [clha]
variants:
  start: {}
  dpo: {method: dpo}
  clha: {method: clha}
`

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

describe('the file', () => {
  const complaint = async (text: string) =>
    readExperiment(write(text)).then(
      () => 'none',
      (error: Error) => error.message,
    )

  test('unknown keys, a baseline that is none, second labels of nothing: told with their places', async () => {
    expect(await complaint(`${TEXT}sedes: [1]\n`)).toMatch(
      /small\.yaml:\d+:1 {2}unknown key "sedes"\. Did you mean "seeds"\?/,
    )
    expect(await complaint(TEXT.replace('baseline: dpo', 'baseline: ppo'))).toMatch(
      /small\.yaml:3:11 {2}baseline: no variant "ppo"/,
    )
    expect(await complaint(`${TEXT}raw_only: [clha, ppo]\n`)).toMatch(
      /small\.yaml:\d+:18 {2}raw_only: no variant "ppo"/,
    )
    expect(await complaint(`${TEXT}second_labels: 5\n`)).toMatch(/second_labels: .* world\.second_labels/)
    const real = TEXT.replace(/world.*\n/, '').replace(/noise.*\n/, '')
    expect(await complaint(`${real}second_labels: 5\n`)).toMatch(/second_labels: .* add noise/)
    expect(await complaint(TEXT.replace('seeds: [1]', 'seeds: []'))).toMatch(/small\.yaml:4:\d+ {2}seeds/)
  })

  test('what stands twice, and keys that would act nowhere, are told with their places', async () => {
    expect(await complaint(TEXT.replace('seeds: [1]', 'seeds: [1, 2, 1]'))).toMatch(
      /small\.yaml:4:\d+ {2}seeds: 1 stands there twice/,
    )
    expect(await complaint(TEXT.replace('[0.25]', '[0.25, 0.25]'))).toMatch(/noise: 0.25 stands there twice/)
    expect(await complaint(TEXT.replace('[0, 1]', '[0, 0]'))).toMatch(/augmented: 0 stands there twice/)
    const inClha = (keys: string) => complaint(TEXT.replace('{method: clha}', `{method: clha, ${keys}}`))
    for (const keys of [
      'folds: 3',
      'reward_model: other',
      'train_dataset: other.jsonl',
      'relabels: again.jsonl',
    ])
      expect(await inClha(keys)).toMatch(
        new RegExp(
          `small\\.yaml:\\d+:\\d+ {2}${keys.split(':')[0]} has no effect in the variant clha: .*set it in base`,
        ),
      )
    expect(await inClha('seed: 5')).toMatch(/seed has no effect in the variant clha: .*list seeds/)
    for (const keys of [
      'min_confidence: 0.7',
      'learning_rate: 1.0e-3',
      'lora_r: 4',
      'max_new_tokens: 9',
      'reward_temperature: 2',
    ])
      expect(await inClha(keys)).toBe('none')
    const inBase = (keys: string) => complaint(TEXT.replace('base:\n', `base:\n  ${keys}\n`))
    expect(await inBase('rounds: 2')).toMatch(/rounds has no effect: a cell is trained in one round/)
    expect(await inBase('train_dataset: my.jsonl')).toMatch(/train_dataset has no effect: .*starter world/)
    expect(await inBase('folds: 3')).toBe('none')
  })

  test('a variant of raw_only has no cell with sampled answers; the others have', async () => {
    const file = write(`${TEXT}raw_only: [dpo]\n`)
    const experiment = await readExperiment(file)
    const plans = planCells({ file, experiment, outputDir: folder, tuned: { rates: {}, tried: [] } })
    expect(plans.map(({ variant, augmented }) => `${variant} ${augmented}`).sort()).toEqual(
      ['clha 0', 'clha 1', 'dpo 0', 'start 0', 'start 1'].sort(),
    )
  })

  test('one start model serves all levels of noise of a seed, and no other seed or world', async () => {
    const startsOf = async (text: string) => {
      const file = write(text)
      const experiment = await readExperiment(file)
      const plans = planCells({ file, experiment, outputDir: folder, tuned: { rates: {}, tried: [] } })
      return new Set(plans.map(({ start }) => start.shared?.dir))
    }
    const one = await startsOf(TEXT)
    expect(await startsOf(TEXT.replace('[0.25]', '[0, 0.4]'))).toEqual(one)
    expect((await startsOf(TEXT.replace('seeds: [1]', 'seeds: [1, 2]'))).size).toBe(2)
    expect(await startsOf(TEXT.replace('demonstrations: 100', 'demonstrations: 101'))).not.toEqual(one)
  })

  test('another tokenizer makes other cells; where the one of the starter world lies does not', async () => {
    const hashes = async (text: string, outputDir: string) => {
      const file = write(text)
      const experiment = await readExperiment(file)
      const plans = planCells({ file, experiment, outputDir, tuned: { rates: {}, tried: [] } })
      return plans.map(({ hash }) => hash)
    }
    expect(await hashes(TEXT, 'a')).toEqual(await hashes(TEXT, 'b'))
    const own = (name: string) => TEXT.replace('base:\n', `base:\n  tokenizer_name_or_path: ${name}\n`)
    const [one, other] = [await hashes(own('one'), 'a'), await hashes(own('other'), 'a')]
    expect(one.filter((hash) => other.includes(hash))).toEqual([])
  })

  test('a variant that starts from another one: which there has to be, one step only, and its cell is another', async () => {
    const starting = (map: string) => TEXT.replace('results:', `starts_from: ${map}\nresults:`)
    expect(await complaint(starting('{dpo: ppo}'))).toMatch(/starts_from: no variant "ppo"/)
    expect(await complaint(starting('{dpo: clha, clha: dpo}'))).toMatch(/itself starts from another variant/)
    const hashes = async (text: string) => {
      const file = write(text)
      const experiment = await readExperiment(file)
      return planCells({ file, experiment, outputDir: folder, tuned: { rates: {}, tried: [] } })
        .filter(({ augmented }) => augmented === 0)
        .map(({ hash, before }) => ({ hash, before: before?.variant }))
    }
    const [plain, after] = [await hashes(TEXT), await hashes(starting('{dpo: clha}'))]
    expect(after.map(({ before }) => before)).toEqual([undefined, 'clha', undefined])
    expect(after.map(({ hash }, i) => hash === plain[i].hash)).toEqual([true, false, true])
  })

  test('a wrong key of a variant names the variant; two variants that are the same are refused', async () => {
    const plan = async (text: string) => {
      const file = write(text)
      const context = {
        file,
        experiment: await readExperiment(file),
        outputDir: folder,
        tuned: { rates: {}, tried: [] },
      }
      return planCells(context)
    }
    await expect(plan(TEXT.replace('{method: clha}', '{method: clha, betta: 1}'))).rejects.toThrow(
      /variant clha: .*betta/,
    )
    await expect(plan(`${TEXT}  again: {method: clha}\n`)).rejects.toThrow(
      /the variants clha and again are the same/,
    )
    const hashes = (await plan(TEXT)).map((cell) => cell.hash)
    expect((await plan(TEXT.replace('A small one', 'Another name'))).map((cell) => cell.hash)).toEqual(hashes)
  })
})
