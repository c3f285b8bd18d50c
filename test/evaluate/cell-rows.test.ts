import { expect, test } from 'vitest'
import { experimentRows, nestedBootstrap } from '../../src/evaluate/cell-rows.js'
import type { Cell } from '../../src/evaluate/cells.js'
import { createRandom } from '../../src/random.js'
import { experimentCsv, experimentLatex, experimentTable } from '../../src/report/experiment/tables.js'
import { effectSize } from '../../src/statistics/significance.js'

const random = createRandom(7)
const noise = Array.from({ length: 40 }, () => random.normal())

/** `lift` above a reward that both variants share, prompt by prompt. */
const cell = (variant: string, seed: number, lift: (i: number) => number): Cell => ({
  ...{ hash: `${variant}${seed}`, variant, seed, learningRate: 3e-4, seconds: 1, machine: 'm', version: '0' },
  rewards: { true: noise.map((x, i) => x + lift(i)), second: noise.map(() => seed) },
  figures: { kl: seed },
})

const cells = [1, 2, 3].flatMap((seed) => [
  cell('base', seed, () => 0),
  cell('better', seed, (i) => 1 + (i % 2) * 0.5),
  cell('same, "really"', seed, (i) => (i % 2 ? 0.3 : -0.3)),
])
const rows = experimentRows(cells, 'base', 'true')

test('a row is the mean over seeds, of prompts and of single figures', () => {
  expect(rows.map((row) => row.variant)).toEqual(['base', 'better', 'same, "really"'])
  expect(rows[0].rewards.second.value).toBe(2)
  expect(rows[0].figures.kl).toBe(2)
  expect(rows[0].seeds).toEqual([1, 2, 3])
})

test('differences are paired: what prompts share cancels, and only what is there is found', () => {
  const [base, better, same] = rows
  expect(base.against).toBeUndefined()
  expect(better.against?.difference.value).toBeCloseTo(1.25, 10)
  expect(better.against?.p).toBeLessThan(0.001)
  expect(better.against?.winRate.value).toBe(1)
  expect(better.against?.effect).toBeCloseTo(
    effectSize(Array.from({ length: 120 }, (_, i) => 1 + (i % 2) * 0.5)),
    10,
  )
  expect(same.against?.difference.value).toBeCloseTo(0, 10)
  expect(same.against?.p).toBe(1)
  expect(same.against?.winRate.value).toBe(0.5)
})

test('a seed that the baseline lacks is not compared, and noise levels are compared within themselves', () => {
  const part = experimentRows(
    [cell('base', 1, () => 0), cell('better', 1, () => 1), { ...cell('better', 2, () => 9), hash: 'z' }],
    'base',
    'true',
  )
  expect(part[1].against?.difference.value).toBeCloseTo(1, 10)
  const levels = [0, 0.2].flatMap((level) => [
    { ...cell('base', 1, () => level), noise: level },
    { ...cell('better', 1, () => 1 + 2 * level), noise: level },
  ])
  const byLevel = experimentRows(levels, 'base', 'true')
  expect(byLevel.map((row) => row.against?.difference.value?.toFixed(3))).toEqual([
    undefined,
    '1.000',
    undefined,
    '1.200',
  ])
})

test('the interval over seeds is as wide as the seeds differ, whatever the number of prompts', () => {
  const apart = nestedBootstrap([0, 1, 2].map((x) => new Array(1000).fill(x)))
  expect(apart.value).toBe(1)
  expect(apart.interval?.[0]).toBeLessThan(0.4)
  const alike = nestedBootstrap([1, 1, 1].map((x) => new Array(1000).fill(x)))
  expect(alike.interval).toEqual([1, 1])
})

test('the tables: every row, marks escaped, CSV that reads back', () => {
  const tables = { title: 'T', baseline: 'base', scorers: ['true', 'second'], rows }
  expect(experimentTable(tables).rows.length).toBe(3)
  const csv = experimentCsv(tables).split('\n')
  expect(csv[0].split(',').slice(0, 6)).toEqual([
    'variant',
    'noise',
    'augmented',
    'seeds',
    'learning_rate',
    'true',
  ])
  expect(csv[3]).toMatch(/^"same, ""really""",,,3,0\.0003,/)
  const tex = experimentLatex({ ...tables, rows: [{ ...rows[1], variant: '50 % & more_' }] })
  expect(tex).toContain('50 \\% \\& more\\_ & ')
  expect(tex).toContain('\\bottomrule')
})
