/** The file of an experiment: what it may say, and which cells it plans. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { planCells } from '../../src/commands/experiment/plan-cells.js'
import { readExperiment } from '../../src/config/experiment-file.js'
import { TEXT } from './small-experiment.js'

const folder = mkdtempSync(join(tmpdir(), 'clha-experiment-file-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'small.yaml')
const write = (text: string): string => {
  writeFileSync(file, text)
  return file
}

const plansOf = async (text: string, outputDir = folder) => {
  const experiment = await readExperiment(write(text))
  return planCells({ file, experiment, outputDir, tuned: { rates: {}, tried: [] } })
}

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
  const plans = await plansOf(`${TEXT}raw_only: [dpo]\n`)
  expect(plans.map(({ variant, augmented }) => `${variant} ${augmented}`).sort()).toEqual(
    ['clha 0', 'clha 1', 'dpo 0', 'start 0', 'start 1'].sort(),
  )
})

test('one start model serves all levels of noise of a seed, and no other seed or world', async () => {
  const startsOf = async (text: string) =>
    new Set((await plansOf(text)).map(({ start }) => start.shared?.dir))
  const one = await startsOf(TEXT)
  expect(await startsOf(TEXT.replace('[0.25]', '[0, 0.4]'))).toEqual(one)
  expect((await startsOf(TEXT.replace('seeds: [1]', 'seeds: [1, 2]'))).size).toBe(2)
  expect(await startsOf(TEXT.replace('demonstrations: 100', 'demonstrations: 101'))).not.toEqual(one)
})

test('another tokenizer makes other cells; where the one of the starter world lies does not', async () => {
  const hashes = async (text: string, outputDir: string) =>
    (await plansOf(text, outputDir)).map(({ hash }) => hash)
  expect(await hashes(TEXT, 'a')).toEqual(await hashes(TEXT, 'b'))
  const own = (name: string) => TEXT.replace('base:\n', `base:\n  tokenizer_name_or_path: ${name}\n`)
  const [one, other] = [await hashes(own('one'), 'a'), await hashes(own('other'), 'a')]
  expect(one.filter((hash) => other.includes(hash))).toEqual([])
})

test('a variant that starts from another one: which there has to be, one step only, and its cell is another', async () => {
  const starting = (map: string) => TEXT.replace('results:', `starts_from: ${map}\nresults:`)
  expect(await complaint(starting('{dpo: ppo}'))).toMatch(/starts_from: no variant "ppo"/)
  expect(await complaint(starting('{dpo: clha, clha: dpo}'))).toMatch(/itself starts from another variant/)
  const hashes = async (text: string) =>
    (await plansOf(text))
      .filter(({ augmented }) => augmented === 0)
      .map(({ hash, before }) => ({ hash, before: before?.variant }))
  const [plain, after] = [await hashes(TEXT), await hashes(starting('{dpo: clha}'))]
  expect(after.map(({ before }) => before)).toEqual([undefined, 'clha', undefined])
  expect(after.map(({ hash }, i) => hash === plain[i].hash)).toEqual([true, false, true])
})

test('a wrong key of a variant names the variant; two variants that are the same are refused', async () => {
  await expect(plansOf(TEXT.replace('{method: clha}', '{method: clha, betta: 1}'))).rejects.toThrow(
    /variant clha: .*betta/,
  )
  await expect(plansOf(`${TEXT}  again: {method: clha}\n`)).rejects.toThrow(
    /the variants clha and again are the same/,
  )
  const hashes = (await plansOf(TEXT)).map((cell) => cell.hash)
  expect((await plansOf(TEXT.replace('A small one', 'Another name'))).map((cell) => cell.hash)).toEqual(
    hashes,
  )
})
