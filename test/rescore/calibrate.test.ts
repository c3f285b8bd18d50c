import { describe, expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { calibrate } from '../../src/rescore/calibrate.js'
import { preferenceMetrics, reliabilityTable } from '../../src/rescore/reliability.js'
import { sigmoid } from '../../src/statistics/statistics.js'

/** Gaps chosen - rejected of a calibrated reward (unit T), of which a share e of the labels is turned round. */
function simulate(n: number, temperature: number, e: number, seed: number, spread = 2.5): number[] {
  const random = createRandom(seed)
  return Array.from({ length: n }, () => {
    const d = random.normal() * spread * temperature
    const firstBetter = random.next() < sigmoid(d / temperature)
    const firstChosen = random.next() < e ? !firstBetter : firstBetter
    return firstChosen ? d : -d
  })
}

describe('joint calibration', () => {
  test('true T = 1, e = 0.25: the joint fit recovers both where the plain fit counts the noise twice', () => {
    const gaps = simulate(20000, 1, 0.25, 1)
    const joint = calibrate(gaps, { resamples: 0 })
    const plain = calibrate(gaps, { labelError: 0, resamples: 0 })
    expect(joint.temperature).toBeGreaterThan(0.85)
    expect(joint.temperature).toBeLessThan(1.15)
    expect(Math.abs(joint.labelError - 0.25)).toBeLessThan(0.02)
    expect(plain.temperature).toBeGreaterThan(2.8)
    expect(plain.temperature).toBeLessThan(3.8)
    expect(plain.labelError).toBe(0)
    expect(joint.atBound).toEqual([])
  })

  test('the fit is where the stated likelihood is highest', () => {
    const gaps = simulate(800, 1.7, 0.2, 2)
    const value = (t: number, e: number) =>
      gaps.reduce(
        (sum, d) => sum + Math.log((1 - e) * sigmoid(d / t) + e * sigmoid(-d / t)),
        10 * Math.log(e) + 30 * Math.log(1 - e),
      )
    const { temperature, labelError } = calibrate(gaps, { resamples: 0 })
    const best = value(temperature, labelError)
    for (const t of [0.5, 0.9, 0.999, 1, 1.001, 1.1, 2, 5]) {
      for (const e of [-0.05, -0.001, 0, 0.001, 0.05])
        expect(value(temperature * t, labelError + e)).toBeLessThanOrEqual(best + 1e-9)
    }
  })

  test('the unit of the reward carries through: rewards times 50 give T times 50 and the same e', () => {
    const gaps = simulate(1500, 1, 0.2, 3)
    const a = calibrate(gaps, { resamples: 0 })
    const b = calibrate(
      gaps.map((d) => d * 50),
      { resamples: 0 },
    )
    expect(Math.abs(b.temperature / a.temperature / 50 - 1)).toBeLessThan(1e-6)
    expect(b.labelError).toBeCloseTo(a.labelError, 6)
  })

  test('label_error and temperature are taken as given, each for itself', () => {
    const gaps = simulate(5000, 1, 0.25, 4)
    const e = calibrate(gaps, { labelError: 0.25, resamples: 20 })
    expect(e.labelError).toBe(0.25)
    expect(e.labelErrorInterval).toBeUndefined()
    expect(Math.abs(e.temperature - 1)).toBeLessThan(0.15)
    const t = calibrate(gaps, { temperature: 1, resamples: 20 })
    expect(t.temperature).toBe(1)
    expect(t.temperatureInterval).toBeUndefined()
    expect(Math.abs(t.labelError - 0.25)).toBeLessThan(0.03)
  })

  test('95 % intervals hold the truth in at least 16 of 20 simulated data sets', () => {
    const held = { temperature: 0, labelError: 0 }
    for (let seed = 0; seed < 20; seed++) {
      const c = calibrate(simulate(600, 1, 0.25, seed), { resamples: 60 })
      const holds = ([low, high]: [number, number], x: number) => Number(low <= x && x <= high)
      held.temperature += holds(c.temperatureInterval!, 1)
      held.labelError += holds(c.labelErrorInterval!, 0.25)
    }
    expect(held.temperature).toBeGreaterThanOrEqual(16)
    expect(held.labelError).toBeGreaterThanOrEqual(16)
  })

  test('intervals shrink with data and are a pure function of data and seed', () => {
    const run = (n: number, seed = 0) => calibrate(simulate(n, 1, 0.25, 5), { seed, resamples: 100 })
    const small = run(1000)
    const width = (c: typeof small) => c.labelErrorInterval![1] - c.labelErrorInterval![0]
    expect(width(run(16000))).toBeLessThan(width(small) / 2.5)
    expect(run(1000)).toEqual(small)
    expect(run(1000, 1).temperatureInterval).not.toEqual(small.temperatureInterval)
  })

  test('100,000 pairs with 200 resamples take less than 3 s', () => {
    const gaps = simulate(100_000, 1, 0.25, 6)
    const start = process.cpuUsage()
    const { temperature, temperatureInterval } = calibrate(gaps)
    // Processor time: a busy machine is not a slow fit.
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(3000)
    expect(temperatureInterval![0]).toBeLessThan(temperature)
    expect(temperatureInterval![1]).toBeGreaterThan(temperature)
  })

  test('too few pairs and rewards without a unit are refused, with the ways out', () => {
    const few = () => calibrate(simulate(199, 1, 0.25, 7), { name: 'fold 1' })
    expect(few).toThrow('calibration of fold 1: 199 labelled pairs, at least 200 are needed')
    expect(() => calibrate(new Array(300).fill(0))).toThrow('equal rewards')
    try {
      few()
    } catch (error) {
      expect((error as { hint: string }).hint).toMatch(
        /`reward_temperature`.*`label_error`.*more labelled pairs/,
      )
    }
    expect(calibrate([1, 2], { temperature: 2, labelError: 0.1 })).toMatchObject({
      temperature: 2,
      labelError: 0.1,
      pairs: 2,
    })
    expect(calibrate([], { temperature: 2 }).labelError).toBe(0.25)
    expect(() => calibrate([1], { temperature: -1 })).toThrow('temperature is -1')
    expect(() => calibrate([1], { labelError: 0.5 })).toThrow('label_error is 0.5')
  })

  test('a reward that says nothing, and one that says all, are marked at the bound', () => {
    const random = createRandom(8)
    const noise = calibrate(
      Array.from({ length: 500 }, () => random.normal() - 0.3),
      { labelError: 0, resamples: 0 },
    )
    expect(noise.atBound).toContain('temperature')
    const sure = calibrate(
      Array.from({ length: 5000 }, () => 1 + random.next()),
      { resamples: 0 },
    )
    expect(sure.atBound).toContain('label_error')
  })
})

test('the reliability table of a right calibration agrees with itself; of the plain one it does not', () => {
  const gaps = simulate(20000, 1, 0.25, 9)
  const missed = (temperature: number, labelError: number) =>
    reliabilityTable(gaps, { temperature, labelError }).filter(
      (b) => b.predicted < b.interval[0] || b.predicted > b.interval[1],
    ).length
  expect(missed(1, 0.25)).toBeLessThanOrEqual(2)
  expect(missed(3.3, 0)).toBeGreaterThanOrEqual(4)
  const table = reliabilityTable([-1, 2, 0, 3], { temperature: 1, labelError: 0 }, 2)
  expect(table.map((b) => [b.pairs, b.observed])).toEqual([
    [2, 0.25],
    [2, 1],
  ])
})

test('single numbers by hand: two right, one wrong', () => {
  const m = preferenceMetrics([2, -1, 1], [1, 1, 1])
  expect(m.accuracy).toBeCloseTo(2 / 3, 12)
  expect(m.auc).toBeNull()
  expect(m.brier).toBeCloseTo(
    ((1 - sigmoid(2)) ** 2 + (1 - sigmoid(-1)) ** 2 + (1 - sigmoid(1)) ** 2) / 3,
    12,
  )
  expect(preferenceMetrics([3, 1, 1, 0], [1, 1, 0, 0]).auc).toBeCloseTo(3.5 / 4, 12)
})
