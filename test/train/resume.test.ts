import { join } from 'node:path'
import { expect, test } from 'vitest'
import { epochOrder } from '../../src/data/encode/order.js'
import { readMetrics } from '../../src/runs/metrics.js'
import type { TrainingRun } from '../../src/train/loop/training-run.js'
import { temporaryFolder } from '../helpers/folders.js'
import { fileOf, OBJECTIVES, randomItems, run, training } from './tiny.js'

/** What each step logged, without what depends on the clock or the process. */
function logged(dir: string) {
  const { rows } = readMetrics(join(dir, 'metrics.jsonl'))
  return rows.map(
    ({
      tokens_per_second,
      mfu,
      memory_mib,
      peak_memory_mib,
      gpu_memory_mib,
      peak_gpu_memory_mib,
      tensors,
      leaked_tensors,
      ...row
    }) => row,
  )
}

/** Ids in the order in which their answers were taken. */
function withSeen(t: TrainingRun, seen: string[]): TrainingRun {
  const items = t.items.map((item) => ({
    ...item,
    get encoded() {
      seen.push(item.encoded.id)
      return item.encoded
    },
  }))
  return { ...t, items }
}

type Make = (dir: string) => TrainingRun

/** Stops after each number of steps in turn, each time as a new process would go on; then to the end. */
async function inParts(make: Make, stops: readonly number[]) {
  const dir = temporaryFolder()
  const seen: string[] = []
  const losses: number[] = []
  for (const [i, stop] of [...stops, Number.POSITIVE_INFINITY].entries()) {
    const done = i === 0 ? 0 : stops[i - 1]
    const t = withSeen({ ...make(dir), resume: i > 0 }, seen)
    const part = await run(t, Number.isFinite(stop) ? stop : undefined)
    expect(part.outcome.stopped).toBe(Number.isFinite(stop))
    if (Number.isFinite(stop)) expect(part.losses).toHaveLength(stop - done)
    losses.push(...part.losses)
    if (!Number.isFinite(stop)) return { dir, seen, losses, ...pickEnd(part) }
  }
  throw new Error('unreachable')
}

const pickEnd = ({ weights, outcome }: Awaited<ReturnType<typeof run>>) => ({
  weights,
  best: outcome.bestStep,
})

async function expectEqual(make: Make, stops: readonly number[], whole: Awaited<ReturnType<typeof inParts>>) {
  const parts = await inParts(make, stops)
  expect(parts.seen).toEqual(whole.seen)
  expect(parts.losses).toEqual(whole.losses)
  expect(parts.weights.equals(whole.weights)).toBe(true)
  expect(parts.best).toBe(whole.best)
  expect(logged(parts.dir)).toEqual(logged(whole.dir))
  for (const name of ['model.safetensors', 'optimizer.safetensors'])
    expect(fileOf(parts.dir, 'checkpoint-12', name).equals(fileOf(whole.dir, 'checkpoint-12', name))).toBe(
      true,
    )
}

test.each(['clha', 'reward'])(
  'S9 %s: stopped after any of its 12 steps and resumed, ids, losses, log and final bits are those of the whole run',
  async (name) => {
    const make: Make = (dir) => training(dir, OBJECTIVES[name])
    const whole = await inParts(make, [])
    expect(whole.losses).toHaveLength(12)
    expect(new Set(whole.seen).size).toBe(11)
    for (let stop = 1; stop < 12; stop++) await expectEqual(make, [stop], whole)
  },
)

test('S9: the same after two stops, and after a stop at every step', async () => {
  const make: Make = (dir) => training(dir)
  const whole = await inParts(make, [])
  await expectEqual(make, [2, 7], whole)
  await expectEqual(make, [5, 6], whole)
  await expectEqual(make, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], whole)
})

test('S9: the same with evaluations in between and rows that average several steps', async () => {
  const make: Make = (dir) => {
    const t = training(dir, OBJECTIVES.clha, { evalSteps: 2, loggingSteps: 5 })
    return { ...t, devItems: randomItems(4, 'dev') }
  }
  const whole = await inParts(make, [])
  const plain = await inParts((dir) => training(dir), [])
  expect(whole.losses).toEqual(plain.losses)
  expect(whole.weights.equals(plain.weights)).toBe(true)
  for (const stop of [1, 2, 3, 5, 8, 11]) await expectEqual(make, [stop], whole)
})

test('an epoch takes each list once, in an order of its own; the last batch is the smaller one', async () => {
  const seen: string[] = []
  await run(withSeen(training(temporaryFolder()), seen))
  // A list is read as often as a plan needs it; each step names its lists in order.
  const steps = seen.filter((id, i) => id !== seen[i - 1])
  const expected = [0, 1, 2].flatMap((epoch) => Array.from(epochOrder(11, 5, epoch), (i) => `list ${i}`))
  expect(steps).toEqual(expected.filter((id, i) => id !== expected[i - 1]))
})

test('a resumed run whose best checkpoint lies elsewhere starts in a new folder and says so', async () => {
  const first = temporaryFolder()
  const plain = temporaryFolder()
  await run(training(plain), 2)
  expect((await run({ ...training(plain), resume: plain })).outcome.step).toBe(12)
  const changes = { evalSteps: 2, saveSteps: 2 }
  const dev = { devItems: randomItems(4, 'dev'), loadBest: true }
  await run({ ...training(first, OBJECTIVES.clha, changes), ...dev }, 6)
  const second = join(temporaryFolder(), 'other')
  const t = { ...training(second, OBJECTIVES.clha, changes), ...dev, resume: first, tokenizerDir: first }
  const { outcome, warnings, model } = await run(t)
  expect(outcome.step).toBe(12)
  expect(warnings.join()).toContain('the best checkpoint so far')
  expect(model.startsWith(second)).toBe(true)
  expect(fileOf(first, 'run.json').toString()).toContain('"stopped"')
})

test('a path to the folder itself, or to a checkpoint in it, goes on there; rows after that step are replaced', async () => {
  const dir = temporaryFolder()
  const whole = await inParts((d) => training(d), [])
  await run({ ...training(dir, OBJECTIVES.clha, { saveSteps: 3 }), saveTotalLimit: 9 }, 9)
  const again = { ...training(dir, OBJECTIVES.clha, { saveSteps: 3 }), saveTotalLimit: 9 }
  await run({ ...again, resume: join(dir, 'checkpoint-3') }, 5)
  expect(logged(dir).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5])
  const { weights } = await run({ ...training(dir), resume: join(dir, 'checkpoint-5') })
  expect(weights.equals(whole.weights)).toBe(true)
  expect(logged(dir)).toEqual(logged(whole.dir))
})

test('a run that went back keeps what it saves, though later checkpoints are there', async () => {
  const dir = temporaryFolder()
  await run({ ...training(dir), saveTotalLimit: 9 }, 10)
  const back = { ...training(dir), resume: join(dir, 'checkpoint-4'), saveTotalLimit: 1 }
  const { model } = await run(back, 5)
  expect(fileOf(model, 'training_state.json').length).toBeGreaterThan(0)
})
