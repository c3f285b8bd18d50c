/** Numbers are written one way everywhere; files appear whole; evaluated systems become rows. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { evaluateSystem } from '../../src/evaluate/system-summary.js'
import { evaluationReport } from '../../src/report/evaluation-rows.js'
import { renderAlignReport } from '../../src/report/render.js'
import { writeReports } from '../../src/report/write-reports.js'
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
