/** Numbers are written one way everywhere; files appear whole; evaluated systems become rows. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { evaluateSystem } from '../../src/evaluate/system-summary.js'
import { evaluationReport } from '../../src/report/evaluation-rows.js'
import { renderAlignReport } from '../../src/report/render.js'
import { writeReports } from '../../src/report/write-reports.js'
import * as n from '../../src/show/numbers.js'
import { sampleReport } from './sample.js'

const made: string[] = []
afterEach(async () => {
  for (const dir of made.splice(0)) await rm(dir, { recursive: true })
})
const folder = async () => {
  const dir = await mkdtemp(join(tmpdir(), 'clha-report-'))
  made.push(dir)
  return dir
}

test('numbers carry one minus sign, one style of interval, and a dash where nothing was measured', () => {
  expect(n.formatCount(12000)).toBe('12,000')
  expect([n.formatSigned(2.05), n.formatSigned(-1.318), n.formatSigned(-0.001)]).toEqual([
    '+2.05',
    '−1.32',
    '0.00',
  ])
  expect([
    n.formatPercent(0.714),
    n.formatPercent(0.004),
    n.formatPercent(0.0001),
    n.formatPercent(0),
  ]).toEqual(['71 %', '0.4 %', '<0.1 %', '0 %'])
  expect([n.formatPercent(0.9999), n.formatPercent(0.996), n.formatPercent(1)]).toEqual([
    '>99.9 %',
    '99.6 %',
    '100 %',
  ])
  expect(n.percentEstimate({ value: 0.84, interval: [0.81, 0.87] })).toBe('84 % (81–87)')
  expect(n.numberEstimate({ value: 0.24, interval: [0.21, 0.27] })).toBe('0.24 (0.21–0.27)')
  expect(n.numberEstimate({ value: 0.1, interval: [-0.1, 0.3] })).toBe('0.10 (−0.10 to 0.30)')
  expect(n.signedEstimate({ value: -1.32, interval: [-1.44, -1.2] })).toBe('−1.32 (−1.44 to −1.20)')
  expect(n.shortSigned({ value: 2.05, interval: [1.93, 2.17] })).toBe('+2.05 ±0.12')
  expect([
    n.formatNumber(Number.NaN),
    n.signedEstimate({ value: null }),
    n.percentEstimate(undefined),
  ]).toEqual(['–', '–', '–'])
  expect([0.42, 47.2, 200, 3600, 7800].map(n.formatSeconds)).toEqual([
    '0.4 s',
    '47 s',
    '3 min 20 s',
    '1 h',
    '2 h 10 min',
  ])
  expect([196e6, 1.64e9, 22.9e9, 12].map(n.formatBytes)).toEqual(['196 MB', '1.6 GB', '23 GB', '12 bytes'])
  expect([1_912_000, 135e6, 7e9, 12].map(n.formatLarge)).toEqual(['1.9 M', '135 M', '7 B', '12'])
})

test('report.json reads back as the report, and draws the same page', async () => {
  const dir = await folder()
  const report = sampleReport()
  const files = await writeReports(join(dir, 'new'), report)
  const back = JSON.parse(await readFile(files.json, 'utf8'))
  expect(back).toEqual(report)
  expect(await readFile(files.html, 'utf8')).toBe(renderAlignReport(back))
  expect((await readdir(join(dir, 'new'))).sort()).toEqual(['report.html', 'report.json', 'report.md'])
})

test('a report that cannot be drawn leaves the earlier files as they were', async () => {
  const dir = await folder()
  const files = await writeReports(dir, { title: 'first' })
  const broken = { title: 'second', samples: [{ prompt: 'p', answers: [null] }] }
  await expect(writeReports(dir, broken as never)).rejects.toThrow()
  expect(JSON.parse(await readFile(files.json, 'utf8'))).toEqual({ title: 'first' })
  expect(await readdir(dir)).toHaveLength(3)
})

test('evaluated systems become rows, with wins by the true reward', () => {
  const sources = ['a', 'a', 'b', 'b']
  const answers = ['x y', 'x y z', 'x', 'x y z w']
  const options = { resamples: 50 }
  const start = { oracle: [0, 0, 0, 0], rm: [1, 1, 1, 1] }
  const first = evaluateSystem({ sources, answers, rewards: start, options })
  const second = evaluateSystem({
    sources,
    answers,
    rewards: { oracle: [1, 1, 0, -1], rm: [0, 0, 0, 0] },
    baseline: start,
    options,
  })
  const systems = [
    { system: 'start', evaluation: first },
    { system: 'clha', evaluation: second },
  ]
  const { rows, lengthUnit } = evaluationReport('start', systems, { trueReward: 'oracle', reward: 'rm' })
  expect(rows.map((r) => [r.system, r.source, r.prompts])).toEqual([
    ['start', 'total', 4],
    ['start', 'a', 2],
    ['start', 'b', 2],
    ['clha', 'total', 4],
    ['clha', 'a', 2],
    ['clha', 'b', 2],
  ])
  const { wins, ties, losses, rate } = rows[3].againstStart!
  expect([wins, ties, losses, rate?.value]).toEqual([2, 1, 1, 0.625])
  expect(rows[0].againstStart).toBeUndefined()
  expect([rows[3].trueReward?.value, rows[3].reward?.value, rows[3].length?.value, lengthUnit]).toEqual([
    0.25,
    0,
    2.5,
    'words',
  ])
})
