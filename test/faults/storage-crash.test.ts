import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newestValid } from '../../src/checkpoint/policy/resume.js'
import { applyRetention } from '../../src/checkpoint/policy/retention.js'
import { sweepLeftovers } from '../../src/checkpoint/policy/sweep.js'
import { DiskStorage, type Storage } from '../../src/files/storage.js'
import { holds, RUN, save } from '../helpers/checkpoints.js'
import { temporaryFolder } from '../helpers/folders.js'
import { Crash, type Fault, FaultyStorage } from '../helpers/storage-faulty.js'
import { MemoryStorage, type PowerLoss } from '../helpers/storage-memory.js'

/** What a crash interrupts. The state before holds checkpoints 80 (best), 90 and 100. */
const SCENARIOS: { name: string; run: (storage: Storage, runDir: string) => void; newStep: number }[] = [
  {
    name: 'saving a new step, then retention',
    newStep: 120,
    run: (storage, runDir) => {
      save(storage, 120, runDir)
      applyRetention(storage, runDir, { keepLast: 2, bestStep: 80 })
    },
  },
  {
    name: 'saving a step that is there already',
    newStep: 100,
    run: (storage, runDir) => save(storage, 100, runDir),
  },
  {
    name: 'a sweep with leftovers, then a save',
    newStep: 120,
    run: (storage, runDir) => {
      storage.mkdir(join(runDir, '.tmp-1-110'))
      storage.create(join(runDir, '.tmp-1-110', 'part')).close()
      storage.rename(join(runDir, 'checkpoint-90'), join(runDir, '.old-1-90'))
      sweepLeftovers(storage, runDir, () => false)
      save(storage, 120, runDir)
    },
  },
]

function before(storage: Storage, runDir = RUN): void {
  for (const step of [80, 90, 100]) save(storage, step, runDir)
}

/** Runs the scenario with a fault at operation n; tells whether the save was acknowledged and how many operations ran. */
function runWithFault(
  inner: Storage,
  runDir: string,
  scenario: (typeof SCENARIOS)[number],
  at: number,
  fault: Fault,
) {
  const storage = new FaultyStorage(inner, ({ index }) => (index === at ? fault : undefined))
  try {
    scenario.run(storage, runDir)
    return { finished: true, operations: storage.operations.length }
  } catch (error) {
    if (!(error instanceof Crash)) throw error
    return { finished: false, operations: storage.operations.length }
  }
}

/** The next start: sweep, then choose. The choice is the new checkpoint or the old one, whole, and the best is there. */
function checkNextStart(storage: Storage, runDir: string, newStep: number, finished: boolean): number {
  sweepLeftovers(storage, runDir, () => false)
  const chosen = newestValid(storage, runDir)
  expect(chosen).toBeDefined()
  expect([100, newStep]).toContain(chosen!.step)
  if (finished) expect(chosen!.step).toBe(newStep)
  expect(chosen!.rejected).toEqual([])
  expect(holds(storage, chosen!.path, chosen!.step)).toBe(true)
  expect(holds(storage, join(runDir, 'checkpoint-80'), 80)).toBe(true)
  expect(storage.list(runDir).filter((name) => !/^checkpoint-\d+$/.test(name))).toEqual([])
  return chosen!.step
}

test.each(SCENARIOS)('S2: a crash before or after every operation while $name', (scenario) => {
  for (const crash of ['before', 'after'] as const) {
    const outcomes: number[] = []
    for (let at = 1; ; at++) {
      const inner = new MemoryStorage()
      before(inner)
      const { finished } = runWithFault(inner, RUN, scenario, at, { crash })
      outcomes.push(checkNextStart(inner, RUN, scenario.newStep, finished))
      if (finished) break
      // The run goes on after the crash: a later save works and is chosen.
      save(inner, 140)
      expect(newestValid(inner, RUN)?.step).toBe(140)
    }
    // Old up to one operation, new from there on: never back again.
    expect(outcomes).toEqual([...outcomes].sort((a, b) => a - b))
    expect(outcomes.length).toBeGreaterThan(20)
  }
})

test('S2 on the real disk', () => {
  const scenario = SCENARIOS[0]
  for (let at = 1; ; at++) {
    const runDir = join(temporaryFolder(), 'run')
    const inner = new DiskStorage()
    before(inner, runDir)
    const { finished } = runWithFault(inner, runDir, scenario, at, { crash: 'before' })
    checkNextStart(inner, runDir, scenario.newStep, finished)
    fs.rmSync(runDir, { recursive: true })
    if (finished) break
  }
})

test.each(['data', 'entries', 'prefix', 'both'] as PowerLoss[])(
  'S3: power loss at every operation takes no acknowledged save (unsynced: %s)',
  (loss) => {
    for (const scenario of SCENARIOS) {
      for (let at = 1; ; at++) {
        const inner = new MemoryStorage()
        before(inner)
        const { finished } = runWithFault(inner, RUN, scenario, at, { crash: 'before' })
        for (let seed = 0; seed < 5; seed++) {
          checkNextStart(inner.afterPowerLoss(loss, seed), RUN, scenario.newStep, finished)
        }
        if (finished) break
      }
    }
  },
)

test('S3 can fail: without fsync of the files the newest checkpoint would be lost', () => {
  const inner = new MemoryStorage()
  const careless = new FaultyStorage(inner, () => undefined)
  const { create } = careless
  careless.create = (path) => ({ ...create.call(careless, path), sync: () => {} })
  save(careless, 100)
  expect(() => newestValid(inner.afterPowerLoss('data', 1), RUN)).toThrow('no valid checkpoint')
})

test('S3 can fail: without fsync of the parent the newest checkpoint would be lost', () => {
  const inner = new MemoryStorage()
  save(inner, 80)
  const careless = new FaultyStorage(inner, () => undefined)
  const { fsyncDir } = careless
  careless.fsyncDir = (path) => path !== RUN && fsyncDir.call(careless, path)
  save(careless, 100)
  expect(newestValid(inner.afterPowerLoss('entries', 1), RUN)?.step).toBe(80)
})

test('S11: a crash at every operation of a removal keeps the newest two and the best', () => {
  for (let at = 1; ; at++) {
    const inner = new MemoryStorage()
    for (const step of [10, 20, 30, 40, 50]) save(inner, step)
    const storage = new FaultyStorage(inner, ({ index }) => (index === at ? { crash: 'after' } : undefined))
    let finished = true
    try {
      applyRetention(storage, RUN, { keepLast: 2, bestStep: 20 })
    } catch (error) {
      expect(error).toBeInstanceOf(Crash)
      finished = false
    }
    // Also before the sweep nothing half removed is named as a checkpoint.
    expect(newestValid(inner, RUN)?.step).toBe(50)
    sweepLeftovers(inner, RUN, () => false)
    for (const step of [20, 40, 50]) expect(holds(inner, `${RUN}/checkpoint-${step}`, step)).toBe(true)
    for (const name of inner.list(RUN))
      expect(holds(inner, `${RUN}/${name}`, Number(name.split('-')[1]))).toBe(true)
    if (finished) break
  }
})
