import { expect, test } from 'vitest'
import { experimentRows } from '../../src/evaluate/cell-rows.js'
import type { Cell } from '../../src/evaluate/cells.js'
import { createRandom } from '../../src/random.js'
import { experimentCsv, experimentLatex } from '../../src/report/experiment/files.js'
import { experimentDataTable, experimentTable, verdictOf } from '../../src/report/experiment/tables.js'

const random = createRandom(7)
const noise = Array.from({ length: 40 }, () => random.normal())

/** `lift` above a reward that both variants share, prompt by prompt. */
const cell = (variant: string, seed: number, lift: number, extra: Partial<Cell> = {}): Cell => ({
  hash: `${variant}${seed}`,
  variant,
  seed,
  learningRate: 3e-4,
  seconds: 1,
  machine: 'm',
  version: '0',
  rewards: { true: noise.map((x) => x + lift), second: noise.map(() => seed) },
  figures: { kl: seed, sampled_true: 2 * lift },
  ...extra,
})

const cells = [1, 2, 3].flatMap((seed) => [
  cell('base', seed, 0),
  cell('better', seed, [1, 1.1, 1.2][seed - 1]),
  cell('apart', seed, [-1, 0, 1.3][seed - 1]),
])
const rows = experimentRows(cells, 'base', 'true')

test('a row is the mean over seeds with its t-interval, of greedy answers, sampled ones and single figures', () => {
  expect(rows.map((row) => row.variant)).toEqual(['base', 'better', 'apart'])
  const { second } = rows[0].rewards
  expect(second.value).toBe(2)
  // t(0.975, 2) = 4.302652729..., standard error 1 / sqrt(3)
  expect(second.interval?.[0]).toBeCloseTo(2 - 4.302652729911275 / Math.sqrt(3), 9)
  expect(rows[1].sampled.true.value).toBeCloseTo(2.2, 12)
  expect(rows[0].figures.kl.value).toBe(2)
  expect(rows[0].seeds).toEqual([1, 2, 3])
})

test('differences are taken seed by seed: p of the paired t-test by hand, and what the interval says', () => {
  const [base, better, apart] = rows
  expect(base.against).toBeUndefined()
  expect(better.against?.difference.value).toBeCloseTo(1.1, 12)
  // t = 1.1 / (0.1 / sqrt 3) = 19.05 on 2 degrees of freedom: p = 1 - t / sqrt(t² + 2), twice by Holm
  const t = (1.1 * Math.sqrt(3)) / 0.1
  expect(better.against?.p).toBeCloseTo(2 * (1 - t / Math.sqrt(t * t + 2)), 8)
  expect(better.against?.sampled?.value).toBeCloseTo(2.2, 12)
  expect(better.against?.winRate.value).toBe(1)
  expect(verdictOf(better.against?.difference)).toBe('better')
  expect(verdictOf(apart.against?.difference)).toBe("can't be told apart")
  expect(verdictOf({ value: 1 })).toBe('–')
})

test('a thousand prompts of one seed are one observation: no interval and no p', () => {
  const one = experimentRows([cell('base', 1, 0), cell('better', 1, 5)], 'base', 'true')
  expect(one[1].against?.difference.value).toBeCloseTo(5, 10)
  expect(one[1].against?.difference.interval).toBeUndefined()
  expect(one[1].against?.p).toBeUndefined()
})

test('a single seed of real data is told over its prompts: paired differences, and that it is one seed', () => {
  const labels = { rewards: { labels: [1, 0, 1, 1, 0, 1] } }
  const theirs = { rewards: { labels: [0, 0, 1, 0, 0, 1] } }
  const real = experimentRows([cell('base', 1, 0, theirs), cell('better', 1, 0, labels)], 'base', 'labels')
  const { difference } = real[1].against as NonNullable<(typeof real)[1]['against']>
  expect(difference.value).toBeCloseTo(2 / 6, 12)
  // Differences 1, 0, 0, 1, 0, 0: variance 4 / 15, t(0.975, 5) = 2.570581836.
  expect(difference.interval?.[0]).toBeCloseTo(2 / 6 - 2.570581835636314 * Math.sqrt(4 / 15 / 6), 9)
  const tables = { title: 'T', baseline: 'base', scorers: ['labels'], rows: real }
  const { caption, rows: written } = experimentTable(tables)
  expect(caption).toContain('over the prompts of one seed')
  expect(written[1]).toContain('+33.3 points (−20.9 to +87.5)')
})

test('rows that are the same cells twice are one test of Holm', () => {
  const twice = [0, 1].flatMap((augmented) => cells.map((c) => ({ ...c, augmented })))
  const [p, again] = experimentRows(twice, 'base', 'true')
    .filter(({ variant }) => variant === 'better')
    .map(({ against }) => against?.p)
  expect(p).toBe(rows[1].against?.p)
  expect(again).toBe(p)
})

test('a seed that the baseline lacks is not compared, and noise levels are compared within themselves', () => {
  const part = experimentRows(
    [cell('base', 1, 0), cell('better', 1, 1), cell('better', 2, 9)],
    'base',
    'true',
  )
  expect(part[1].against?.difference.value).toBeCloseTo(1, 10)
  const levels = [0, 0.2].flatMap((level) => [
    { ...cell('base', 1, level), noise: level },
    { ...cell('better', 1, 1 + 2 * level), noise: level },
  ])
  expect(
    experimentRows(levels, 'base', 'true').map((row) => row.against?.difference.value?.toFixed(3)),
  ).toEqual([undefined, '1.000', undefined, '1.200'])
})

test('the tables: greedy beside sampled, what was learnt from, marks escaped, CSV that reads back', () => {
  const tables = { title: 'T', baseline: 'base', scorers: ['true', 'second'], rows }
  const { columns, caption } = experimentTable(tables)
  expect(columns.map(({ label }) => label).slice(0, 4)).toEqual([
    'method',
    'true reward, greedy',
    'sampled',
    'second reward model',
  ])
  expect(caption).toContain('over 3 seeds')
  expect(experimentDataTable(tables)).toBeUndefined()
  const learnt = cells.map((c) => ({
    ...c,
    figures: {
      ...c.figures,
      contrasted: 0.6,
      label_error: 0.24,
      label_error_low: 0.2,
      label_error_high: 0.3,
    },
  }))
  const data = experimentDataTable({ ...tables, rows: experimentRows(learnt, 'base', 'true') })
  expect(data?.rows[0]).toEqual(['base', '0.24 (0.20–0.30)', '60 %'])
  const quoted = { ...rows[1], variant: 'same, "really"' }
  const csv = experimentCsv({ ...tables, rows: [quoted] }).split('\n')
  expect(csv[0].split(',').slice(0, 6)).toEqual([
    ...['variant', 'noise', 'augmented', 'seeds', 'learning_rate', 'true'],
  ])
  expect(csv[0]).toContain('sampled_true,sampled_true_low,sampled_true_high,difference')
  expect(csv[1]).toMatch(/^"same, ""really""",,,3,0\.0003,/)
  const tex = experimentLatex({ ...tables, rows: [{ ...rows[1], variant: '50 % & more_' }] })
  expect(tex).toContain('50 \\% \\& more\\_ & ')
  expect(tex).toContain('\\bottomrule')
})
