/** Folders that clha 0.1.0 wrote (recorded in test/fixtures/released): later versions read them as they are. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { main } from '../../src/cli/main.js'
import { parseLines, recordedRun } from '../helpers/metrics.js'
import { Sink } from '../helpers/sink.js'

const RECORDED = join(import.meta.dirname, '../fixtures/released/0.1.0')
const LENGTHS = ['--max-length', '48', '--max-prompt-length', '24']
const home = process.cwd()

beforeEach(() => {
  process.chdir(fs.mkdtempSync(join(tmpdir(), 'clha-released-')))
  fs.cpSync(RECORDED, '.', { recursive: true })
})
afterEach(() => {
  const folder = process.cwd()
  process.chdir(home)
  fs.rmSync(folder, { recursive: true, force: true })
})

async function clha(...argv: string[]) {
  const stdout = new Sink()
  const stderr = new Sink()
  const code = await main(argv, { stdin: Readable.from([]), stdout, stderr, env: {}, exit() {} })
  expect(stderr.text).not.toMatch(/unexpected:/)
  return { code, said: stdout.text + stderr.text }
}

test('a run goes on from its checkpoint to the losses that it had there', async () => {
  const before = recordedRun(fs.readFileSync('run/metrics.jsonl', 'utf8'))
  // Another build of the engine: the last bits may differ.
  const { code } = await clha('train', '--resume-from-checkpoint', 'run', '--allow-inexact')
  expect(code).toBe(0)
  const after = recordedRun(fs.readFileSync('run/metrics.jsonl', 'utf8'))
  for (const step of [5, 6]) expect(after.get(step)).toBeCloseTo(before.get(step) as number, 4)
  expect(JSON.parse(fs.readFileSync('run/run.json', 'utf8')).resumed).toBe(1)
})

test('its config is one of today, and gives the recorded losses', async () => {
  const before = recordedRun(fs.readFileSync('run/metrics.jsonl', 'utf8'))
  // The default of 0.1.0, which is another one today.
  const then = ['--min-confidence', '0.8']
  expect((await clha('train', 'c.yaml', ...then, '--output-dir', 'again')).code).toBe(0)
  const after = recordedRun(fs.readFileSync('again/metrics.jsonl', 'utf8'))
  for (const [step, loss] of before) expect(after.get(step)).toBeCloseTo(loss, 4)
})

test('its rescored lists are trained on without being scored again', async () => {
  const argv = ['train', 'c.yaml', '--train-dataset', 'rescored/rescored.jsonl', '--output-dir', 'again']
  fs.writeFileSync(
    'c.yaml',
    fs.readFileSync('c.yaml', 'utf8').replace(/reward_\w+: .*\n|label_error: .*\n/g, ''),
  )
  const { code, said } = await clha(...argv)
  expect(said).not.toMatch(/scoring/)
  expect(code).toBe(0)
})

test('its score cache knows every answer, and gives the same rewards', async () => {
  const rules = ['--reward-temperature', '1', '--label-error', '0.25', ...LENGTHS]
  const argv = ['rescore', 'prefs.jsonl', '--reward-model', 'reward', '--score-cache-dir', 'cache', ...rules]
  const { code, said } = await clha(...argv, '--output-dir', 'again')
  expect(code).toBe(0)
  expect(said).toMatch(/48 of them were known/)
  const rewards = (path: string) =>
    parseLines<{ rewards: number[] }>(fs.readFileSync(path, 'utf8')).map((list) => list.rewards)
  expect(rewards('again/rescored.jsonl')).toEqual(rewards('rescored/rescored.jsonl'))
})
