import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DiskStorage } from '../../src/files/storage.js'
import { type OpenRunOptions, openRun, type TakeLock } from '../../src/runs/open-run.js'
import { readRun } from '../../src/runs/read-run.js'
import { save } from '../helpers/checkpoints.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'

/** A lock that holds within this process. */
function locks(): TakeLock & { taken: Set<string> } {
  const taken = new Set<string>()
  const take = (path: string) => {
    if (taken.has(path)) return undefined
    taken.add(path)
    return { release: () => void taken.delete(path) }
  }
  return Object.assign(take, { taken })
}

const options = (lock: TakeLock, resume = false): OpenRunOptions => ({
  lock,
  resume,
  kind: 'train',
  config: { learning_rate: 1e-6 },
  data: [{ path: 'a.jsonl', sha256: 'x', rows: 3 }],
  versions: { clha: '0.1.0' },
  hardware: { threads: 2 },
})

const snapshot = (dir: string) =>
  fs
    .readdirSync(dir)
    .map((name) => [name, fs.statSync(join(dir, name)).mtimeMs, fs.statSync(join(dir, name)).size])

test('a new run writes what it runs on; its rows, checkpoints and end can be read', () => {
  const dir = join(temporaryFolder(), 'runs', 'a')
  const run = openRun(dir, options(locks()))
  const metrics = run.metrics()
  metrics.append({ step: 1, loss: 2 })
  save(new DiskStorage(), 1, dir)
  expect(readRun(dir)).toMatchObject({
    dir,
    manifest: {
      status: 'running',
      kind: 'train',
      resumed: 0,
      config: { learning_rate: 1e-6 },
      pid: process.pid,
    },
    rows: [{ step: 1, loss: 2 }],
    checkpoints: [{ step: 1, path: join(dir, 'checkpoint-1') }],
  })
  run.setStatus('failed', { exitCode: 5, error: 'loss is not finite' })
  expect(readRun(dir).manifest).toMatchObject({ status: 'failed', exit_code: 5, error: 'loss is not finite' })
  run.setStatus('done')
  expect(readRun(dir).manifest).not.toHaveProperty('error')
  expect(run.manifest.status).toBe('done')
  metrics.close()
  run.close()
})

test('a folder that another process trains in is refused with exit 3, and no byte of it changes', () => {
  const dir = temporaryFolder()
  const lock = locks()
  const run = openRun(dir, options(lock))
  fs.mkdirSync(join(dir, '.tmp-999999999-1'))
  const before = snapshot(dir)
  const error = thrown(() => openRun(dir, options(lock, true)))
  expect(error.exitCode).toBe(3)
  expect(error.message).toContain(dir)
  expect(snapshot(dir)).toEqual(before)
  run.close()
  openRun(dir, options(lock)).close()
})

test('a folder that holds a run is not written over', () => {
  const dir = temporaryFolder()
  const lock = locks()
  openRun(dir, options(lock)).close()
  openRun(dir, options(lock)).close() // nothing but run.json yet: a failed start may be repeated
  save(new DiskStorage(), 1, dir)
  const error = thrown(() => openRun(dir, options(lock)))
  expect(error.exitCode).toBe(2)
  expect(error.hint).toContain('--resume-from-checkpoint true')
  expect(lock.taken.size).toBe(0)
})

test('a run with rows and no checkpoint is not written over either', () => {
  const dir = temporaryFolder()
  fs.writeFileSync(join(dir, 'metrics.jsonl'), '{"step":1}\n')
  expect(thrown(() => openRun(dir, options(locks()))).message).toContain('already holds a run')
})

test('resuming keeps the start, counts, drops later rows and sweeps what a dead process left', () => {
  const dir = temporaryFolder()
  const lock = locks()
  const first = openRun(dir, options(lock))
  const started = first.manifest.started
  const metrics = first.metrics()
  for (const step of [1, 2, 3]) metrics.append({ step })
  metrics.close()
  first.close()
  fs.mkdirSync(join(dir, '.tmp-999999999-3'))
  const second = openRun(dir, options(lock, true))
  second.metrics(2).close()
  expect(readRun(dir)).toMatchObject({ manifest: { started, resumed: 1 }, rows: [{ step: 1 }, { step: 2 }] })
  expect(fs.existsSync(join(dir, '.tmp-999999999-3'))).toBe(false)
})

test('there must be a run to resume', () => {
  const error = thrown(() => openRun(temporaryFolder(), options(locks(), true)))
  expect(error.exitCode).toBe(2)
  expect(error.message).toContain('no run to resume')
})

test.each(['', 'x', 'null', '{}', '{"format":"clha-run/1","status":"done","config":[]}'])(
  'a folder whose run.json is %j holds no run',
  (text) => {
    const dir = temporaryFolder()
    fs.writeFileSync(join(dir, 'run.json'), text)
    expect(thrown(() => readRun(dir)).exitCode).toBe(2)
  },
)

test('a folder in place of a file is passed over, not read', () => {
  const dir = temporaryFolder()
  openRun(dir, options(locks())).close()
  fs.mkdirSync(join(dir, 'metrics.jsonl'))
  expect(readRun(dir).rows).toEqual([])
})
