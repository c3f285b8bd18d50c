import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { explain } from '../../src/commands/explain/explain.js'
import { rescore } from '../../src/commands/rescore/rescore.js'
import type { Explained } from '../../src/rescore/explain.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, type Files, typed, writeFiles } from './eval-folder.js'

let files: Files
let lists: string
/** The lists of method.md's vector, with T and e given. */
const GIVEN = { rewardTemperature: 2, labelError: 0.25, gateLevel: 0, minConfidence: 0.8 }

beforeAll(async () => {
  files = await writeFiles(tempFolder('explain'))
  lists = join(tempFolder('lists'), 'lists.jsonl')
  const rows = [
    { id: 'first', prompt: 'Q one', completions: ['a', 'b'], rewards: [4.581, -0.612], ranks: [1, 2] },
    { id: 'second', prompt: 'Q two', completions: ['a', 'b'], rewards: [1, 0.2], ranks: [2, 1] },
    {
      id: 'third',
      prompt: 'Q three',
      completions: ['a', 'b', 'c'],
      rewards: [4.581, -0.612, 2.39],
      ranks: [1, 2, null],
    },
  ]
  writeFileSync(lists, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}, 60_000)

async function run(values: Record<string, unknown>) {
  const outputDir = tempFolder('explained')
  const { config, ui, screen } = await call({ trainDataset: lists, outputDir, ...values })
  const result = await explain(config, ui, typed())
  return { result, screen: screen(), outputDir }
}

test('a row of data with rewards: numbers, where they come from, and what would change them', async () => {
  const { result, screen } = await run({ row: 3, ...GIVEN })
  expect(result).toMatchObject({ id: 'third', row: 3, mode: 'default', temperature: 2, labelError: 0.25 })
  expect(result.names).toEqual(['A', 'B', 'C'])
  expect(result.order).toEqual([0, 2, 1])
  expect(result.pairs.map(({ weight }) => Number(weight.toFixed(9)))).toEqual([0.95151526, 0, 0.635447151])
  for (const text of [
    'A over B: 5.193 / 2 = 2.597, label +1.099 → log-odds 3.695, belief 97.6 %',
    'A over C: left alone (74.9 % is below min_confidence 80.0 %)',
    'C over B: contrasted, weight 0.635',
    '(4.581 − 0) / 2 = 2.291 → gate 0.908',
    // ln 4 times T, for a pair without a label.
    'A over C: kept with a reward gap of 2.773 (now 2.191), or with a min_confidence of 0.749 at most',
    'no model is given',
  ])
    expect(screen).toContain(text)
})

test('with a model: log-probabilities and the loss, as that model gives them', async () => {
  const { result, screen } = await run({ id: 'first', ...GIVEN, modelNameOrPath: files.model })
  const { loss } = result
  expect(loss?.means).toHaveLength(2)
  expect(loss?.alone.total).toBeCloseTo((loss?.alone.clha ?? 0) + (loss?.alone.sft ?? 0), 12)
  expect(screen).toContain('if this list were the whole step')
})

test('a rescored file: T and e are found in its audit, and the same numbers come out', async () => {
  const folder = tempFolder('rescored')
  const { config, ui } = await call({ trainDataset: lists, outputDir: folder, ...GIVEN })
  await rescore(config, ui, typed())
  const rescored = join(folder, 'rescored.jsonl')
  const from = async (values: Record<string, unknown>) => {
    const { result } = await run(values)
    return result as Explained
  }
  const [direct, file] = [await from({ row: 2, ...GIVEN }), await from({ row: 2, trainDataset: rescored, minConfidence: 0.8 })]
  expect(file.pairs).toEqual(direct.pairs)
  expect(file.gate.level).toBeCloseTo(0, 9)
  expect(JSON.parse(readFileSync(join(folder, 'audit.json'), 'utf8')).calibrations).toHaveLength(1)
  const alone = join(tempFolder('alone'), 'rescored.jsonl')
  copyFileSync(rescored, alone)
  await expect(run({ row: 2, trainDataset: alone, minConfidence: 0.8 })).rejects.toThrow('not in an audit.json beside it')
  await expect(run({ row: 2, trainDataset: rescored, mode: 'legacy' })).rejects.toThrow('other settings')
  const strict = run({ row: 2, trainDataset: rescored, minConfidence: 0.6 })
  await expect(strict).rejects.toThrow('other settings')
})

test('legacy: the raw gap and the threshold', async () => {
  const pairsOnly = join(tempFolder('two'), 'two.jsonl')
  writeFileSync(pairsOnly, readFileSync(lists, 'utf8').split('\n').slice(0, 2).join('\n'))
  const { result, screen } = await run({ row: 1, trainDataset: pairsOnly, mode: 'legacy' })
  expect(result.mode).toBe('legacy')
  expect(screen).toContain('A over B: contrasted, weight 1 (reward gap 5.193, threshold 3)')
  expect(screen).toContain('left alone with a reward gap of 3 (now 5.193)')
})

test('a row that is not there, and two ways to name one, are errors', async () => {
  await expect(run({ row: 9, ...GIVEN })).rejects.toThrow('no example of row 9')
  await expect(run({ row: 1, id: 'first' })).rejects.toThrow('remove one')
  await expect(run({ row: 1, method: 'dpo' })).rejects.toThrow('goes through CLHA')
})
