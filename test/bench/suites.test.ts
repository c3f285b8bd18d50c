import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { suiteLines } from '../../bench/lib/print.mjs'
import { rowOf } from '../../bench/lib/rows.mjs'
import { commandOf, runSuite } from '../../bench/lib/run-suite.mjs'
import { suites } from '../../bench/lib/suites.mjs'

interface Contender {
  name: string
  worker?: object
  script?: string
  spec?: Record<string, unknown>
}

const folder = mkdtempSync(join(tmpdir(), 'clha-bench-test-'))
const data = join(folder, 'data.json')
/** Row k has a prompt of one token and two answers of k + 2: 2 (k + 3) tokens. */
const pairs = Array.from({ length: 12 }, (_, k) => {
  const answer = Array.from({ length: k + 2 }, (_, i) => 3 + ((i + k) % 5))
  return { ids: [[3], answer, [...answer].reverse()] }
})

beforeAll(() => writeFileSync(data, JSON.stringify({ vocabulary: 16, pairs })))
afterAll(() => rmSync(folder, { recursive: true }))

const context = (more: object) => ({
  data,
  vocabulary: 16,
  threads: 1,
  rounds: 1,
  device: 'cpu',
  threshold: 1e9,
  limit: 0,
  say() {},
  ...more,
})

const train = { kind: 'train', size: 'XXS', batch: 2, per: 4 }
const suiteOf = (contenders: object[], rows: object[]) => ({
  name: 'test',
  title: 'Test',
  unit: 'pairs/s',
  contenders,
  rows,
})

test('the device and the batch of a spec reach workers and peers', () => {
  const contenders: Contender[] = suites(true, 'cuda')[0].contenders
  for (const contender of contenders) {
    const command = commandOf(contender, context({ device: 'cuda', python: 'python3' }))
    expect(JSON.parse(command.at(-1))).toMatchObject({ device: 'cuda', batch: 32, size: 'L' })
  }
  expect(new Set(contenders.map((c) => (c.worker ? 'product' : c.script)))).toEqual(
    new Set(['product', 'trl_trainer.py']),
  )
})

test('a worker takes steps of the batch of its spec, behind the rows that warm up, and counts FLOPs', async () => {
  const alone = suiteOf([{ name: 'clha', worker: train }], [{ ours: 'clha', value: 'mfu', least: 0 }])
  const { rounds, rows } = await runSuite(alone, context({}))
  const { clha }: Record<string, Record<string, number>[]> = rounds
  const [round] = clha
  // Rows 2 to 5.
  expect(round).toMatchObject({ items: 4, tokens: 2 * (5 + 6 + 7 + 8) })
  expect(round.flops).toBeGreaterThan(0)
  expect(rows[0].value).toBeCloseTo(round.flops / round.wall / round.peak, 12)
})

test('a device that is not there, a script that fails and a module that is missing are lines of the table', async () => {
  const contenders = [
    { name: 'clha', worker: train },
    { name: 'broken', script: 'no_such_script.py', spec: { size: 'S' } },
    {
      name: 'other tool',
      script: 'no_such_script.py',
      spec: { size: 'S' },
      needs: 'no_such_module_of_python',
    },
  ]
  const rows = [{ theirs: 'broken', goal: 2 }, { theirs: 'other tool' }]
  const measured = await runSuite(
    { ...suiteOf(contenders, rows), apart: true },
    context({ device: 'cuda:99', python: process.execPath }),
  )
  expect(measured.rows).toHaveLength(1)
  expect(measured.rows[0].failure).toMatch(/^broken ended \(1\): .*Error/)
  const lines: string[] = suiteLines(measured)
  expect(lines.find((line) => line.startsWith('clha  '))).toMatch(/ended \(\d+\): .*device: cuda:99/)
  expect(lines).toContain('left out: other tool: the Python has no module no_such_module_of_python')
  expect(lines.join('\n')).toContain('GPU peak MiB')
})

test('a row names our side, and ratios are of round i against round i', () => {
  const round = (items: number, peakMiB: number) => ({ items, wall: 1, cpu: 1, peakMiB })
  const rounds = {
    clha: [round(1, 1)],
    narrow: [round(8, 10), round(30, 30)],
    other: [round(4, 60), round(10, 50)],
  }
  const row = rowOf({ ours: 'narrow', theirs: 'other', goal: 3 }, rounds, new Map())
  expect(row).toMatchObject({ ratio: 2.5, low: 2, high: 3, met: false, memoryRatio: 0.5 })
})
