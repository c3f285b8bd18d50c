/** Runs below a folder: which are found, how they stand, in what they differ. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { main } from '../../src/cli/main.js'
import { findRuns, summaryOfRun } from '../../src/runs/find-runs.js'
import type { RunStatus } from '../../src/runs/run-manifest.js'
import { temporaryFolder } from '../helpers/folders.js'
import { runManifest } from '../helpers/run-manifest.js'
import { Sink } from '../helpers/sink.js'

interface Made {
  config?: Record<string, unknown>
  rows?: Record<string, unknown>[]
  status?: RunStatus
  sha256?: string
}

function makeRun(
  dir: string,
  { config = {}, rows = [], status = 'done', sha256 = 'a'.repeat(64) }: Made = {},
) {
  fs.mkdirSync(dir, { recursive: true })
  const manifest = runManifest({ status, config, data: [{ path: 'p.jsonl', sha256 }] })
  fs.writeFileSync(join(dir, 'run.json'), JSON.stringify(manifest))
  fs.writeFileSync(join(dir, 'metrics.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

function twoRuns(): string {
  const root = temporaryFolder()
  makeRun(join(root, 'a'), {
    config: { learning_rate: 1e-4, seed: 42, output_dir: 'runs/a' },
    rows: [
      { step: 10, loss: 1.5, tokens_per_second: 7, peak_gpu_memory_mib: 70 },
      { step: 20, loss: 1.25, eval_loss: 1.75 },
    ],
  })
  makeRun(join(root, 'b', 'clha'), {
    config: { learning_rate: 1e-5, seed: 42, output_dir: 'runs/b' },
    rows: [{ step: 10, loss: 1.5, tokens_per_second: 9, peak_gpu_memory_mib: 90 }],
    status: 'stopped',
    sha256: 'b'.repeat(64),
  })
  // A checkpoint's copy of run.json is no run, nor is what lies behind a link.
  makeRun(join(root, 'a', 'checkpoint-20'))
  fs.symlinkSync(join(root, 'a'), join(root, 'link'))
  return root
}

async function clha(...argv: string[]) {
  const [stdout, stderr] = [new Sink(), new Sink()]
  const code = await main(['runs', ...argv], { stdin: Readable.from([]), stdout, stderr, env: {}, exit() {} })
  return { code, out: stdout.text, err: stderr.text }
}

test('runs are found in depth; checkpoints and links are passed over; the last values of a run are its figures', () => {
  const root = twoRuns()
  expect(findRuns(root)).toEqual([join(root, 'a'), join(root, 'b', 'clha')])
  expect(summaryOfRun(join(root, 'a'))).toMatchObject({
    step: 20,
    metrics: { loss: 1.25, eval_loss: 1.75, tokens_per_second: 7, peak_gpu_memory_mib: 70 },
  })
})

test('clha runs: a row a run', async () => {
  const root = twoRuns()
  const { code, out } = await clha(root)
  expect(code).toBe(0)
  expect(out).toMatch(/\/a +clha +done +2026-11-30 01:35 +20 +1\.25\d* +1\.75/)
  expect(out).toMatch(/b\/clha +clha +stopped +2026-11-30 01:35 +10 +1\.5\d* +–/)
  expect(out).toContain('2 runs;')
})

test('clha runs --compare: settings, data and figures that differ, and those alone', async () => {
  const root = twoRuns()
  const { code, out } = await clha('--compare', join(root, 'a'), join(root, 'b'), '--json')
  expect(code).toBe(0)
  const { result } = JSON.parse(out.trim().split('\n').at(-1) as string)
  expect(result.differences).toEqual([
    { what: 'setting', name: 'learning_rate', values: ['0.0001', '0.00001'] },
    { what: 'data', name: 'p.jsonl', values: ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'] },
    { what: 'metric', name: 'loss', values: [1.25, 1.5] },
    { what: 'metric', name: 'eval_loss', values: [1.75, null] },
  ])
})

test.each([
  [['nowhere'], /nowhere: no such folder/],
  [['.'], /no run here/],
])('a folder that is not there, or has none: %j', async (argv, reason) => {
  const argument = argv[0] === '.' ? temporaryFolder() : argv[0]
  const { code, err } = await clha(argument)
  expect(code).toBe(2)
  expect(err).toMatch(reason)
})

test('a broken run is said and left out of the list of the others; named itself, it is an error', async () => {
  const root = twoRuns()
  const written = fs.readFileSync(join(root, 'a', 'run.json'), 'utf8')
  const without = (name: string) => JSON.stringify({ ...JSON.parse(written), [name]: undefined })
  const broken = [written.slice(0, 40), without('started'), without('data'), without('versions'), '{}']
  for (const [i, text] of broken.entries()) {
    const dir = join(root, `broken ${i}`)
    makeRun(dir)
    fs.writeFileSync(join(dir, 'run.json'), text)
    const { code, err } = await clha(dir)
    expect(code).toBe(2)
    expect(err).toContain(`${dir}: no run here (no readable run.json)`)
  }
  const { code, out } = await clha(root)
  expect(code).toBe(0)
  expect(out).toContain('2 runs;')
  expect(out.match(/broken \d: no run here/g)).toHaveLength(broken.length)
  expect((await clha('--compare', root)).code).toBe(0)
})

test('one run is not compared', async () => {
  const { code, err } = await clha('--compare', join(twoRuns(), 'a'))
  expect(code).toBe(2)
  expect(err).toMatch(/holds one run, and it takes two/)
})
