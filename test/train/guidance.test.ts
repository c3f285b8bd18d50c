import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { METRICS_FILE, type MetricRow, readMetrics, warningsOf } from '../../src/runs/metrics.js'
import { createGuide, type GuideSettings } from '../../src/train/guidance/guidance.js'
import { CAUSES } from '../../src/train/guidance/guidance-rules.js'
import { fixedShiftOf, shiftOf } from '../../src/train/guidance/guidance-series.js'
import { temporaryFolder } from '../helpers/folders.js'
import { CLHA, OBJECTIVES, randomItems, run, training } from './tiny.js'

const SETTINGS = {
  learningRate: 1e-6,
  sftWeight: 1,
  gated: true,
  margin: 1,
  minConfidence: 0.8,
  maxNewTokens: 128,
}

/** The warnings of a whole training, each with the step of the row that raised it. */
function guide(history: readonly MetricRow[], settings: GuideSettings) {
  const { see } = createGuide(settings)
  return history.flatMap((row) => see(row).map((warning) => ({ step: row.step, ...warning })))
}

/** Rows of one metric each, ten steps apart. */
const rowsOf = (columns: Record<string, readonly number[]>): MetricRow[] => {
  const length = Math.max(...Object.values(columns).map((values) => values.length))
  return Array.from({ length }, (_, i) => ({
    step: 10 * (i + 1),
    ...Object.fromEntries(
      Object.entries(columns).flatMap(([name, v]) => (i < v.length ? [[name, v[i]]] : [])),
    ),
  }))
}

const raised = (columns: Record<string, readonly number[]>, settings = SETTINGS) =>
  guide(rowsOf(columns), settings).map(({ cause, step }) => `${cause} ${step}`)

const many = (n: number, value: number) => new Array<number>(n).fill(value)

describe('what is raised, and at which step', () => {
  const cases: [name: string, columns: Record<string, number[]>, want: string[]][] = [
    ['held-out chosen answers lose 5 %', { 'eval_logps/chosen': [-40, -41, -42.1] }, ['displacement 30']],
    ['they lose less', { 'eval_logps/chosen': [-40, -41, -41.9] }, []],
    ['they gain', { 'eval_logps/chosen': [-40, -30, -20] }, []],
    [
      'training rows sink clearly: means of three against means of three',
      { 'logps/chosen': [-40, -40, -40, -40, -40.5, -41, -43, -45, -46] },
      // At 80 the last three have lost 3 of 40; two may be lost, and 1.9 would be noise.
      ['displacement 80'],
    ],
    [
      'training rows jump about more than they sink',
      { 'logps/chosen': [-40, -52, -33, -45, -36, -50, -38, -47, -44] },
      [],
    ],
    [
      'held-out rows speak, though those of the training sink',
      {
        'eval_logps/chosen': [-40, -40, -40, -40, -40, -40, -40, -40],
        'logps/chosen': [-40, -40, -40, -50, -50, -50, -50, -50],
      },
      // Before the second evaluation there are only rows of the training, and too few of them.
      [],
    ],
    ['answers grow by half', { 'eval_generated/length': [20, 29, 30] }, ['length 30']],
    ['short answers may grow by a few tokens', { 'eval_generated/length': [4, 8] }, []],
    ['answers shrink', { 'eval_generated/length': [40, 10] }, []],
    ['answers begin to repeat', { 'eval_generated/repetition': [0.02, 0.11, 0.13] }, ['repetition 30']],
    ['they always did', { 'eval_generated/repetition': [0.3, 0.31] }, []],
    ['entropy halves', { 'eval_generated/entropy': [2, 1.2, 1] }, ['entropy 30']],
    ['entropy falls a little', { 'eval_generated/entropy': [2, 1.2] }, []],
    [
      'nearly all hinges are beyond the margin',
      { 'pairs/saturated': [0.5, 0.9, 0.96, 0.97, 0.98] },
      ['saturated 50'],
    ],
    ['most are', { 'pairs/saturated': many(9, 0.9) }, []],
    ['no pair is contrasted', { 'pairs/active': many(4, 0) }, ['no_pairs 30']],
    ['one in a hundred is', { 'pairs/active': many(4, 0.02) }, []],
    ['the gate is shut', { 'sft_gate/mean': many(4, 0.01) }, ['gate_shut 30']],
    ['the gate is nearly shut', { 'sft_gate/mean': many(4, 0.05) }, []],
    ['half a nat per token from the start', { 'eval_generated/kl': [0.1, 0.51] }, ['kl 20']],
    ['less', { 'eval_generated/kl': [0.1, 0.49] }, []],
    [
      'reward rises, held-out accuracy falls',
      {
        'eval_rewards/accuracies': [0.6, 0.7, 0.69, 0.67],
        'eval_generated/reward': [0, 1, 1.5, 2],
      },
      ['over_optimisation 40'],
    ],
    [
      'without a scorer the implicit margin stands for the reward',
      { 'eval_rewards/accuracies': [0.7, 0.67], 'eval_rewards/margins': [0.1, 0.4] },
      ['over_optimisation 20'],
    ],
    [
      'both fall: something else is wrong',
      { 'eval_rewards/accuracies': [0.7, 0.6], 'eval_generated/reward': [2, 1] },
      [],
    ],
    [
      'values that are no numbers are no news',
      { 'eval_generated/kl': [Number.NaN, Number.POSITIVE_INFINITY] },
      [],
    ],
  ]
  test.each(cases)('%s', (_, columns, want) => {
    expect(raised(columns)).toEqual(want)
  })

  test('every cause has a case above', () => {
    const seen = new Set(cases.flatMap(([, , want]) => want.map((text) => text.split(' ')[0])))
    expect([...seen].sort()).toEqual([...CAUSES].sort())
  })
})

test('a warning comes once; again only after the cause was gone', () => {
  const value = [0.1, 0.6, 0.7, 0.6, 0.45, 0.6, 0.3, 0.55, 0.6]
  // 0.45 is within the limit, but not clear of it (0.4).
  expect(raised({ 'eval_generated/kl': value })).toEqual(['kl 20', 'kl 80'])
})

test('without an SFT term or a gate, a shut gate is no trouble', () => {
  const columns = { 'sft_gate/mean': many(6, 0) }
  expect(raised(columns, { ...SETTINGS, sftWeight: 0 })).toEqual([])
  expect(raised(columns, { ...SETTINGS, gated: false })).toEqual([])
})

test('steps in which nothing counted leave no loss; they are a warning of their own', () => {
  const rows: MetricRow[] = [
    { step: 10, learning_rate: 1, loss: 1 },
    { step: 20, learning_rate: 1, skipped_steps: 10 },
  ]
  expect(guide(rows, SETTINGS)).toMatchObject([
    { step: 20, cause: 'no_pairs', metric: 'skipped_steps', value: 10 },
  ])
})

test('text and advice name the metric, its values and the settings', () => {
  const [warning] = guide(rowsOf({ 'eval_logps/chosen': [-40, -44] }), SETTINGS)
  expect(warning).toEqual({
    step: 20,
    cause: 'displacement',
    metric: 'eval_logps/chosen',
    value: -44,
    text: 'chosen answers are getting less likely (eval_logps/chosen -44, started at -40)',
    advice:
      'usual cure: a larger sft_weight (now 1), or a lower learning_rate (now 1.00e-6). docs/guidance.md#displacement',
  })
})

test('the noise of a shift is three standard errors of a difference of two means of three', () => {
  // Neighbours differ by 1, so each value has a variance of 1/2: 3 sqrt(2 * 0.5 / 3).
  expect(shiftOf([0, 1, 0, 1, 0, 1])).toEqual({ from: 1 / 3, to: 2 / 3, noise: 3 * Math.sqrt(1 / 3) })
  expect(shiftOf([1, 2, 3, 4, 5])).toBeUndefined()
  expect(fixedShiftOf([3, 9, 5])).toEqual({ from: 3, to: 5, noise: 0 })
})

const guided = (dir: string) => ({
  ...training(dir, OBJECTIVES.clha, { totalSteps: 12, saveSteps: 4 }),
  // No gate: the lists that these tests draw are weighted from 0.5 on.
  trainable: { ...training(dir, CLHA).trainable, margin: () => -100 },
  guidance: { ...SETTINGS, margin: -100 },
})

test('in a training, warnings are said, stand in metrics.jsonl, and a resumed run does not say them again', async () => {
  const [straight, stopped] = [temporaryFolder(), temporaryFolder()]
  const whole = await run(guided(straight))
  const causes = (dir: string) =>
    readMetrics(join(dir, METRICS_FILE)).rows.flatMap((row) =>
      warningsOf(row).map(({ cause, metric }) => [row.step, cause, metric]),
    )
  const saturated = causes(straight).filter(([, cause]) => cause === 'saturated')
  // Every pair is 100 nats beyond such a margin: known after three rows.
  expect(saturated).toEqual([[3, 'saturated', 'pairs/saturated']])
  expect(whole.warnings.filter((text) => text.startsWith('step 3:'))).toHaveLength(1)
  await run(guided(stopped), 4)
  const rest = await run({ ...guided(stopped), resume: true })
  expect(rest.warnings.filter((text) => text.includes('beyond the margin'))).toEqual([])
  expect(causes(stopped)).toEqual(causes(straight))
})

test('eval_on_start logs step 0, which is never the best, once although a run begins again', async () => {
  const dir = temporaryFolder()
  const t = {
    ...training(dir, OBJECTIVES.sft, { totalSteps: 4, evalOnStart: true }),
    devItems: randomItems(4, 'dev'),
    loadBest: true,
  }
  const { rows, outcome } = await run(t)
  expect(rows[0]).toMatchObject({ step: 0, eval_loss: expect.any(Number) })
  expect(outcome.bestStep).toBeGreaterThan(0)
  for (const name of fs.readdirSync(dir).filter((file) => file.startsWith('checkpoint-')))
    fs.rmSync(join(dir, name), { recursive: true })
  const again = await run({ ...t, trainable: training(dir, OBJECTIVES.sft).trainable, resume: true })
  expect(again.rows.map(({ step }) => step)).toEqual(rows.map(({ step }) => step))
})
