import { expect, test } from 'vitest'
import { type ScheduleName, scheduleFactor } from '../../src/optim/schedule.js'
import { readJson } from '../fixtures.js'

interface Case {
  name: string
  peak_lr: number
  warmup: number
  total: number
  lr: number[]
}

const NAMES: ScheduleName[] = ['linear', 'cosine', 'constant', 'constant_with_warmup']
const cases = readJson<{ cases: Case[] }>('optim/schedules.json').cases.filter(({ name }) =>
  NAMES.includes(name as ScheduleName),
)

test('each of the four schedules is recorded with and without warm-up', () => expect(cases.length).toBe(8))

test.each(cases)(
  '$name, warm-up $warmup: the rates of transformers, two steps beyond the end included',
  (c) => {
    const schedule = { name: c.name as ScheduleName, warmupSteps: c.warmup, totalSteps: c.total }
    c.lr.forEach((expected, step) => {
      expect(Math.abs(c.peak_lr * scheduleFactor(schedule, step) - expected)).toBeLessThan(1e-15)
    })
  },
)

test('factors by hand', () => {
  const linear = { name: 'linear' as const, warmupSteps: 2, totalSteps: 6 }
  expect([0, 1, 2, 4, 6, 9].map((step) => scheduleFactor(linear, step))).toEqual([0, 0.5, 1, 0.5, 0, 0])
  const cosine = { name: 'cosine' as const, warmupSteps: 0, totalSteps: 4 }
  expect(scheduleFactor(cosine, 2)).toBeCloseTo(0.5, 15)
})
