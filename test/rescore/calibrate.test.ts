import { describe, expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { calibrate, calibrateTogether } from '../../src/rescore/calibrate.js'
import { type Evidence, singleLabels } from '../../src/rescore/noise/evidence.js'
import { preferenceMetrics, reliabilityTable } from '../../src/rescore/reliability.js'
import { sigmoid } from '../../src/statistics/statistics.js'

interface World {
  n: number
  e: number
  seed: number
  temperature?: number
  spread?: number
  lapse?: number
  /** Pairs that are labelled twice. */
  doubles?: number
}

/** Pairs of a reward of unit T that is wrong beyond repair in a share of pairs, with labels of which e are turned round. */
function simulate({ n, e, seed, temperature = 1, spread = 2.5, lapse = 0, doubles = 0 }: World): Evidence {
  const random = createRandom(seed)
  const [gap, up, down] = [0, 0, 0].map(() => new Float64Array(n))
  for (let i = 0; i < n; i++) {
    gap[i] = random.normal() * spread * temperature
    const first = random.next() < lapse + (1 - 2 * lapse) * sigmoid(gap[i] / temperature)
    for (let look = 0; look < (i < doubles ? 2 : 1); look++)
      (random.next() < e ? !first : first) ? up[i]++ : down[i]++
  }
  return { gap, up, down, weight: new Float64Array(n).fill(1) }
}

const width = ([low, high]: readonly [number, number]) => high - low
const holds = ([low, high]: readonly [number, number], x: number) => low <= x && x <= high

describe('what labels tell', () => {
  test('labels alone leave open whether they or the reward are wrong: the interval of e begins at 0, and says so', () => {
    for (const e of [0, 0.25]) {
      const { labelErrorInterval, determined, temperatureInterval } = calibrate(
        simulate({ n: 2000, e, lapse: 0.15, seed: 1 }),
      )
      expect(labelErrorInterval![0]).toBe(0.002)
      expect(labelErrorInterval![1]).toBeGreaterThan(e + 0.05)
      expect(determined).toBe(false)
      expect(holds(temperatureInterval!, 1)).toBe(true)
    }
  })

  test('second labels tell e: k disagreements of m give 2e(1 - e) = k/m where the reward says nothing', () => {
    const random = createRandom(2)
    const n = 1000
    const [gap, up, down] = [0, 0, 0].map(() => new Float64Array(n))
    for (let i = 0; i < n; i++) {
      gap[i] = random.normal()
      const first = i % 2
      up[i] = first + (i < 300 ? Number(i % 5 < 2 ? !first : first) : 0)
      down[i] = (i < 300 ? 2 : 1) - up[i]
    }
    const { labelError, votes, labelErrorInterval } = calibrate({
      gap,
      up,
      down,
      weight: new Float64Array(n).fill(1),
    })
    expect(votes).toEqual({ pairs: 300, compared: 300, disagree: 120 })
    // 2e(1 - e) = 0.4: e = (1 - sqrt(0.2)) / 2. The reward's chance agreement adds a little of its own.
    expect(labelError).toBeCloseTo((1 - Math.sqrt(0.2)) / 2, 1)
    expect(holds(labelErrorInterval!, 0.2764)).toBe(true)
  })

  test('with enough second labels e, lapse and T are recovered', () => {
    const { labelError, lapse, temperature, determined } = calibrate(
      simulate({ n: 20_000, e: 0.25, lapse: 0.1, temperature: 3, doubles: 2000, seed: 3 }),
    )
    expect(Math.abs(labelError - 0.25)).toBeLessThan(0.025)
    expect(Math.abs(lapse - 0.1)).toBeLessThan(0.03)
    expect(Math.abs(temperature / 3 - 1)).toBeLessThan(0.1)
    expect(determined).toBe(true)
  })

  test('the estimate is where the stated likelihood is highest', () => {
    const evidence = simulate({ n: 800, e: 0.2, lapse: 0.05, temperature: 1.7, doubles: 200, seed: 4 })
    const value = (e: number, lapse: number, t: number) =>
      evidence.gap.reduce((sum, d, i) => {
        const s = lapse + (1 - 2 * lapse) * sigmoid(d / t)
        const [u, v] = [evidence.up[i], evidence.down[i]]
        return sum + Math.log(s * (1 - e) ** u * e ** v + (1 - s) * e ** u * (1 - e) ** v)
      }, 0)
    const { temperature: t, labelError: e, lapse } = calibrate(evidence)
    const best = value(e, lapse, t)
    for (const scale of [0.5, 0.9, 0.99, 1, 1.01, 1.1, 2]) {
      for (const other of [-0.05, -0.01, 0, 0.01, 0.05]) {
        for (const step of [-0.02, 0, 0.02]) {
          if (lapse + step < 0) continue
          expect(value(e + other, lapse + step, t * scale)).toBeLessThanOrEqual(best + 1e-4)
        }
      }
    }
  })

  test('the unit of the reward carries through: rewards times 50 give T times 50 and the same e', () => {
    const evidence = simulate({ n: 1500, e: 0.2, doubles: 200, seed: 5 })
    const a = calibrate(evidence)
    const b = calibrate({ ...evidence, gap: evidence.gap.map((d) => d * 50) })
    expect(b.temperature / a.temperature / 50).toBeCloseTo(1, 3)
    expect(b.labelError).toBeCloseTo(a.labelError, 3)
  })

  test('label_error and temperature are taken as given, each for itself', () => {
    const evidence = simulate({ n: 5000, e: 0.25, seed: 6 })
    const e = calibrate(evidence, { labelError: 0.25 })
    expect(e).toMatchObject({ labelError: 0.25, determined: true })
    expect(e.labelErrorInterval).toBeUndefined()
    expect(Math.abs(e.temperature - 1)).toBeLessThan(0.15)
    // A given T is the unit of a plain logistic: then labels alone tell e.
    const t = calibrate(evidence, { temperature: 1 })
    expect(t).toMatchObject({ temperature: 1, lapse: 0 })
    expect(t.temperatureInterval).toBeUndefined()
    expect(Math.abs(t.labelError - 0.25)).toBeLessThan(0.03)
    // Without noise or lapse the noise of the labels counts as the reward's: the plain logistic regression.
    const plain = calibrate(evidence, { labelError: 0, lapse: 0 })
    expect(plain.temperature).toBeGreaterThan(2.8)
    expect(plain.temperature).toBeLessThan(3.8)
  })

  test('95 % intervals hold the truth in at least 26 of 30 simulated data sets', () => {
    const held = { temperature: 0, labelError: 0 }
    for (let seed = 0; seed < 30; seed++) {
      const c = calibrate(
        simulate({ n: 250, e: [0.05, 0.2, 0.35][seed % 3], spread: 1.5, doubles: 150, seed }),
      )
      held.temperature += Number(holds(c.temperatureInterval!, 1))
      held.labelError += Number(holds(c.labelErrorInterval!, [0.05, 0.2, 0.35][seed % 3]))
    }
    expect(held.temperature).toBeGreaterThanOrEqual(26)
    expect(held.labelError).toBeGreaterThanOrEqual(26)
  })

  test('intervals shrink with second labels, and widen where pairs share their prompts', () => {
    const run = (doubles: number) => calibrate(simulate({ n: 2000, e: 0.25, doubles, seed: 7 }))
    expect(width(run(1600).labelErrorInterval!)).toBeLessThan(width(run(100).labelErrorInterval!) / 2)
    // Each pair ten times over: ten times as many rows that tell no more.
    const once = simulate({ n: 300, e: 0.2, doubles: 150, seed: 8 })
    const times = (column: Float64Array) => Float64Array.from({ length: 3000 }, (_, i) => column[i % 300])
    const [gap, up, down, weight] = [once.gap, once.up, once.down, once.weight].map(times)
    const cluster = Int32Array.from({ length: 3000 }, (_, i) => i % 300)
    const copied = calibrate({ gap, up, down, weight, cluster })
    expect(copied.prompts).toBe(300)
    expect(copied.designEffect).toBeCloseTo(10, 0)
    const [a, b] = [copied, calibrate(once)].map(({ labelErrorInterval }) => labelErrorInterval!)
    for (const k of [0, 1] as const) expect(a[k]).toBeCloseTo(b[k], 2)
  })

  test('scorers with units of their own share the error of the labels', () => {
    const [a, b] = [9, 10].map((seed) => simulate({ n: 1500, e: 0.2, doubles: 300, seed, temperature: seed }))
    const [first, second] = calibrateTogether([{ evidence: a }, { evidence: b }])
    expect(first.labelError).toBe(second.labelError)
    expect(first.temperature / second.temperature).toBeCloseTo(0.9, 0)
    const alone = calibrate(a)
    expect(width(first.labelErrorInterval!)).toBeLessThan(width(alone.labelErrorInterval!))
  })

  test('100,000 pairs are fitted, and the interval holds what was found', () => {
    const evidence = simulate({ n: 100_000, e: 0.25, doubles: 1000, seed: 11 })
    const { temperature, temperatureInterval } = calibrate(evidence)
    expect(temperatureInterval![0]).toBeLessThan(temperature)
    expect(temperatureInterval![1]).toBeGreaterThan(temperature)
  })

  test('too few pairs and rewards without a unit are refused, with the ways out', () => {
    const few = () => calibrate(simulate({ n: 199, e: 0.25, seed: 12 }), { name: 'fold 1' })
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

  test('a reward that says nothing is marked at the bound', () => {
    const random = createRandom(8)
    const noise = calibrate(
      Array.from({ length: 500 }, () => random.normal() - 0.3),
      { labelError: 0, lapse: 0 },
    )
    expect(noise.atBound).toContain('temperature')
  })
})

test('the reliability table of a right calibration agrees with itself; of the plain one it does not', () => {
  const evidence = simulate({ n: 20000, e: 0.25, seed: 9 })
  const missed = (temperature: number, labelError: number) =>
    reliabilityTable(evidence, { temperature, labelError }).filter(
      (b) => b.predicted < b.interval[0] || b.predicted > b.interval[1],
    ).length
  expect(missed(1, 0.25)).toBeLessThanOrEqual(2)
  expect(missed(3.3, 0)).toBeGreaterThanOrEqual(4)
  const table = reliabilityTable(singleLabels([-1, 2, 0, 3]), { temperature: 1, labelError: 0 }, 2)
  expect(table.map((b) => [b.pairs, b.observed])).toEqual([
    [2, 0.25],
    [2, 1],
  ])
})

test('the reliability table knows that a majority errs less often than each of its votes', () => {
  const column = (...numbers: number[]) => Float64Array.from(numbers)
  const evidence = { gap: column(2, 2), up: column(2, 2), down: column(0, 1), weight: column(1, 1) }
  const table = reliabilityTable(evidence, { temperature: 1, labelError: 0.3 }, 2)
  // Wrong: 0.09 of 0.58 that agree, and 0.216 of three.
  expect(table[0].predicted).toBeCloseTo(0.762619, 6)
  expect(table[1].predicted).toBeCloseTo(0.716293, 6)
  // Five votes a pair that err with 0.3, and rewards of the unit that they have.
  const random = createRandom('majorities')
  const five = { gap: column(), up: column(), down: column(), weight: new Float64Array(4000).fill(1) }
  five.gap = Float64Array.from({ length: 4000 }, () => 2 * random.normal())
  five.up = five.gap.map((d) => {
    const isBetter = random.next() < sigmoid(d)
    return Array.from({ length: 5 }, () => random.next() < 0.3 !== isBetter).filter(Boolean).length
  })
  five.down = five.up.map((up) => 5 - up)
  const missed = reliabilityTable(five, { temperature: 1, labelError: 0.3 }).filter(
    (b) => b.predicted < b.interval[0] || b.predicted > b.interval[1],
  )
  expect(missed.length).toBeLessThanOrEqual(2)
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
