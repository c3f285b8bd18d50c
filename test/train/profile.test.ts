import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { writeProfile } from '../../src/stations/fit/profile-output.js'
import { backward, f32, noGrad, ops, requiresGrad, scope } from '../../src/tensor/index.js'
import { packStep } from '../../src/train/loop/items.js'
import { runTraining } from '../../src/train/loop/run.js'
import { createProfiler, type Profile, stopProfiling } from '../../src/train/profile/profile.js'
import { recordOperators } from '../../src/train/profile/profile-operators.js'
import { matrixPeak } from '../../src/train/profile/profile-peak.js'
import { PHASES, phase, recordPhases } from '../../src/train/profile/profile-phases.js'
import { summarize } from '../../src/train/profile/profile-summary.js'
import { chromeTrace } from '../../src/train/profile/profile-trace.js'
import { noWork, workMeter } from '../../src/train/profile/profile-work.js'
import { answer, encoded } from '../helpers/encoded.js'
import { temporaryFolder } from '../helpers/folders.js'
import { itemOf, randomItems, tinyModel, training } from './tiny.js'

async function profiled(changes: object = {}, profile = true) {
  const t = { ...training(temporaryFolder(), undefined, { totalSteps: 9, ...changes }), profile }
  const profiles: Profile[] = []
  const result = await runTraining({ ...t, hooks: { ...t.hooks, profiled: (p) => profiles.push(p) } })
  return { profiles, result }
}

test('an operator is recorded with its name, its pass and the bytes of its result; a view has none', () => {
  scope(() => {
    const x = requiresGrad(f32(new Array(1000).fill(1), [10, 100]))
    const stop = recordOperators()
    const square = ops.mul(x, x)
    ops.view(square, [1000])
    backward(ops.sum(square))
    const events = stop()
    const mul = events.filter((e) => e.name === 'aten::mul' && !e.backward)
    expect(mul.map((e) => [e.bytes, e.depth])).toEqual([[4000, 0]])
    expect(events.filter((e) => e.name === 'aten::view' && e.depth === 0).map((e) => e.bytes)).toEqual([0])
    const node = events.find((e) => e.name === 'MulBackward0')
    expect(node?.backward).toBe(true)
    // What ran inside: 2 * x * grad, twice.
    expect(node?.bytes).toBeGreaterThanOrEqual(8000)
    expect(events.some((e) => e.name === 'aten::mul' && e.backward && e.depth > 0)).toBe(true)
  })
})

test('time inside an operator is counted once: the self times add up to the outermost durations', () => {
  const stop = recordOperators()
  noGrad(() =>
    scope(() => ops.softmax(ops.matmul(ops.zeros([64, 64], 'f32'), ops.zeros([64, 64], 'f32')), 1)),
  )
  const events = stop()
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
  const outer = events.filter((e) => e.depth === 0)
  expect(sum(events.map((e) => e.self))).toBeCloseTo(sum(outer.map((e) => e.duration)), 6)
})

test('nothing is recorded before the start and after the stop', () => {
  const stop = recordOperators()
  const events = stop()
  noGrad(() => scope(() => ops.zeros([4], 'f32')))
  expect(events).toEqual([])
  expect(recordOperators()()).toEqual([])
})

test('a phase gives back what its function gives, recorded or not, and is recorded also when it throws', () => {
  expect(phase('loss', () => 7)).toBe(7)
  const stop = recordPhases()
  expect(phase('loss', () => 8)).toBe(8)
  expect(() =>
    phase('clip', () => {
      throw new Error('x')
    }),
  ).toThrow('x')
  expect(stop().map((m) => m.phase)).toEqual(['loss', 'clip'])
})

test('five steps are profiled after two to warm up, with every phase and both passes', async () => {
  const { profiles } = await profiled()
  expect(profiles).toHaveLength(1)
  expect(profiles[0].steps.map((s) => s.step)).toEqual([3, 4, 5, 6, 7])
  const { phases, operators } = summarize(profiles[0])
  expect(phases.map((s) => s.phase).filter((s) => s !== 'other')).toEqual([...PHASES])
  expect(phases.reduce((sum, s) => sum + s.share, 0)).toBeCloseTo(1, 6)
  const linear = operators.filter((o) => o.operator === 'clha::linear')
  expect(linear.map((o) => o.pass)).toEqual(['forward'])
  expect(operators.some((o) => o.pass === 'backward' && o.milliseconds > 0)).toBe(true)
  expect(operators.reduce((sum, o) => sum + o.share, 0)).toBeCloseTo(1, 6)
})

test('a profile changes no number of the training', async () => {
  const loss = ({ result }: Awaited<ReturnType<typeof profiled>>) => result.rows.map((row) => row.loss)
  expect(loss(await profiled())).toEqual(loss(await profiled({}, false)))
})

test('a training that is shorter than the profile is profiled from its first step', async () => {
  const { profiles } = await profiled({ totalSteps: 3 })
  expect(profiles[0].steps.map((s) => s.step)).toEqual([1, 2, 3])
})

test('a recording that an error left open ends, and the next one begins', () => {
  createProfiler(1, 1).begin(1)
  stopProfiling()
  const profiler = createProfiler(1, 1)
  profiler.begin(1)
  expect(profiler.end(noWork())?.steps).toHaveLength(1)
})

test('the Chrome trace has each step, its phases within it, and microseconds', async () => {
  const { profiles } = await profiled()
  const { traceEvents } = chromeTrace(profiles[0])
  const steps = traceEvents.filter((e) => e.name.startsWith('step ')) as Required<(typeof traceEvents)[0]>[]
  expect(steps).toHaveLength(5)
  const total = profiles[0].steps.reduce((sum, s) => sum + s.milliseconds, 0)
  expect(steps.reduce((sum, e) => sum + e.dur, 0)).toBeCloseTo(total * 1000, 0)
  for (const e of traceEvents.filter((e) => e.cat === 'phases')) {
    const inside = steps.some((s) => e.ts! >= s.ts - 1 && e.ts! + e.dur! <= s.ts + s.dur + 1)
    expect(inside).toBe(true)
  }
})

test('profile.json and profile.txt are written, and the terminal gets the table', async () => {
  const { profiles } = await profiled()
  const dir = temporaryFolder()
  const lines = writeProfile(dir, profiles[0])
  expect(JSON.parse(fs.readFileSync(join(dir, 'profile.json'), 'utf8')).traceEvents.length).toBeGreaterThan(
    50,
  )
  const text = fs.readFileSync(join(dir, 'profile.txt'), 'utf8')
  for (const word of ['forward', 'backward', 'optimizer', 'clha::linear', 'matrix peak'])
    expect(text).toContain(word)
  expect(lines.length).toBeLessThan(text.split('\n').length)
})

test('the FLOPs of a step are those of its products, by hand', () => {
  // hidden 32, intermediate 64, 2 layers, 2 heads of 16, vocabulary 64: 4 * 32 * 32 + 3 * 32 * 64 a layer
  const body = 2 * (4 * 1024 + 3 * 2048)
  const list = encoded('a', [3, 4, 5], [answer([6, 7, 2]), answer([8, 2])])
  const items = [itemOf(list, createRandom('x'))]
  const work = workMeter(tinyModel())(packStep(items, { maxTokens: 100, lastToken: false }))
  // the stream: 3 of the prompt, 2 and 1 of the answers; 5 scored tokens
  const pairs = 6 + (2 * 3 + 3) + (1 * 3 + 1)
  const forward = 2 * body * 6 + 2 * (64 * 32) * 5 + 2 * (4 * 32 * pairs)
  expect(work).toEqual({ tokens: 6, unshared: 5 + 4, padded: 2 * 5, flops: 3 * forward })
})

test('the log has what packing saves and the share of the matrix peak', async () => {
  const { result } = await profiled({}, false)
  const row = result.rows[0]
  expect(row.padding_saved).toBeGreaterThan(0)
  expect(row.prompt_sharing_saved).toBeGreaterThan(0)
  expect(row.mfu).toBeGreaterThan(0)
  expect(row.mfu).toBeLessThan(1)
})

test('what packing saves does not depend on where a run was stopped', async () => {
  const items = randomItems(11)
  const whole = await runTraining({ ...training(temporaryFolder(), undefined, { loggingSteps: 4 }), items })
  const dir = temporaryFolder()
  const part = { ...training(dir, undefined, { loggingSteps: 4 }), items }
  let steps = 0
  const stopping = { ...part.hooks, progress: () => void steps++, stopRequested: () => steps === 6 }
  await runTraining({ ...part, hooks: stopping })
  const rest = await runTraining({ ...training(dir, undefined, { loggingSteps: 4 }), items, resume: true })
  const saved = (rows: typeof whole.rows) => rows.map((r) => [r.padding_saved, r.prompt_sharing_saved])
  expect(saved(rest.rows)).toEqual(saved(whole.rows))
})

test('the matrix peak is measured once', () => {
  const first = matrixPeak('f32')
  expect(first).toBeGreaterThan(1e8)
  expect(matrixPeak('f32')).toBe(first)
})
