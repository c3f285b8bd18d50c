import { expect, test } from 'vitest'
import { listCheckpoints } from '../../src/checkpoint/policy/names.js'
import { applyRetention } from '../../src/checkpoint/policy/retention.js'
import { sweepLeftovers } from '../../src/checkpoint/policy/sweep.js'
import { removeTree } from '../../src/files/storage.js'
import { holds, RUN, save } from '../helpers/checkpoints.js'
import { FaultyStorage } from '../helpers/storage-faulty.js'
import { MemoryStorage } from '../helpers/storage-memory.js'

function withSteps(...steps: number[]): MemoryStorage {
  const storage = new MemoryStorage()
  for (const step of steps) save(storage, step)
  return storage
}

const steps = (storage: MemoryStorage) => listCheckpoints(storage, RUN).map(({ step }) => step)

test('the newest N and the best stay', () => {
  const storage = withSteps(1, 2, 3, 4, 5)
  expect(applyRetention(storage, RUN, { keepLast: 2, bestStep: 1 })).toEqual({ removed: [3, 2], failed: [] })
  expect(storage.list(RUN)).toEqual(['checkpoint-1', 'checkpoint-4', 'checkpoint-5'])
})

test.each([0, -3, 0.5])('keeping %d still keeps the newest', (keepLast) => {
  const storage = withSteps(1, 2)
  applyRetention(storage, RUN, { keepLast })
  expect(steps(storage)).toEqual([2])
})

test('an unfinished checkpoint does not count as one of the newest, and is not touched', () => {
  const storage = withSteps(1, 2, 3, 4)
  removeTree(storage, `${RUN}/checkpoint-4/manifest.json`)
  expect(applyRetention(storage, RUN, { keepLast: 2 }).removed).toEqual([1])
  expect(steps(storage)).toEqual([4, 3, 2])
})

test('a removal that fails is reported and does not stop the others', () => {
  const inner = withSteps(1, 2, 3)
  const storage = new FaultyStorage(inner, ({ name, path }) =>
    name === 'rename' && path.endsWith('-2') ? { errno: 'EACCES' } : undefined,
  )
  const report = applyRetention(storage, RUN, { keepLast: 1 })
  expect(report.removed).toEqual([1])
  expect(report.failed).toMatchObject([{ step: 2 }])
  expect(steps(inner)).toEqual([3, 2])
})

test('the sweep removes leftovers of dead processes and leaves those of living ones', () => {
  const storage = withSteps(1)
  for (const name of ['.tmp-10-2', '.tmp-11-2', '.del-10-0', '.old-10-1']) storage.mkdir(`${RUN}/${name}`)
  storage.create(`${RUN}/.tmp-10-run.json`).close()
  storage.create(`${RUN}/.tmp-10-2/part`).close()
  const report = sweepLeftovers(storage, RUN, (pid) => pid === 11)
  expect(report).toEqual({
    removed: ['.del-10-0', '.old-10-1', '.tmp-10-2', '.tmp-10-run.json'],
    restored: [],
  })
  expect(storage.list(RUN)).toEqual(['.tmp-11-2', 'checkpoint-1'])
  expect(sweepLeftovers(storage, '/none')).toEqual({ removed: [], restored: [] })
})

test('by default our own process id counts as dead, a living parent does not', () => {
  const storage = withSteps(1)
  storage.mkdir(`${RUN}/.tmp-${process.pid}-2`)
  storage.mkdir(`${RUN}/.tmp-${process.ppid}-2`)
  sweepLeftovers(storage, RUN)
  expect(storage.list(RUN)).toEqual([`.tmp-${process.ppid}-2`, 'checkpoint-1'])
})

test('the sweep gives a checkpoint its name back if the one that should replace it never came', () => {
  const storage = withSteps(1, 2)
  storage.rename(`${RUN}/checkpoint-2`, `${RUN}/.old-10-2`)
  expect(sweepLeftovers(storage, RUN, () => false).restored).toEqual(['checkpoint-2'])
  expect(holds(storage, `${RUN}/checkpoint-2`, 2)).toBe(true)
})
