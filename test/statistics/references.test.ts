/** Statistics of verdicts against numpy, scipy, statsmodels and krippendorff (scripts/parity/i_statistics.py). */
import { expect, test } from 'vitest'
import {
  type ClusteredEstimate,
  clusteredDifference,
  clusteredEstimate,
  clustersOf,
} from '../../src/statistics/clustered.js'
import { type AlphaLevel, krippendorffAlpha } from '../../src/statistics/krippendorff.js'
import { lengthControlled } from '../../src/statistics/length-controlled.js'
import { exactMcNemar } from '../../src/statistics/position-bias.js'
import { bradleyTerry, type Contest } from '../../src/statistics/strengths/bradley-terry.js'
import { readJson } from '../fixtures.js'

interface Recorded {
  value: number
  standard_error: number
  interval: [number, number]
  degrees_of_freedom: number
}

interface RecordedFit {
  strengths: number[]
  differences: Record<string, Recorded>
  log_likelihood: number
  slot?: Recorded
  style?: Recorded
  tie_width?: Recorded
}

interface Panel {
  rows: { prompt: string; rater: string; a: number; b: number; slot: number; style: number; score: number }[]
  systems: number
  mean: Recorded
  difference: Recorded & { group: number[] }
  bradley_terry: Record<string, RecordedFit>
  length_controlled: {
    rows: { prompt: string; longer: number; score: number }[]
    rate: number
    length_effect: number
    raw: number
  }
  alpha: { items: number[][] } & Record<Exclude<AlphaLevel, 'ratio'>, number>
  mcnemar: { first: number; second: number; p: number }[]
}

const panel = readJson<Panel>('statistics/panel.json')
const scores = panel.rows.map(({ score }) => score)
const clusters = clustersOf(
  panel.rows.map(({ prompt }) => prompt),
  panel.rows.map(({ rater }) => rater),
)

function same(found: ClusteredEstimate | undefined, wanted: Recorded): void {
  expect(found?.value).toBeCloseTo(wanted.value, 7)
  expect(found?.standardError).toBeCloseTo(wanted.standard_error, 7)
  expect(found?.interval?.[0]).toBeCloseTo(wanted.interval[0], 6)
  expect(found?.interval?.[1]).toBeCloseTo(wanted.interval[1], 6)
  expect(found?.degreesOfFreedom).toBe(wanted.degrees_of_freedom)
}

test('a mean and a difference with errors clustered by prompt and by rater', () => {
  const { value } = panel.mean
  same(
    clusteredEstimate(
      value,
      scores.map((y) => (y - value) / scores.length),
      clusters,
    ),
    panel.mean,
  )
  same(clusteredDifference(scores, panel.difference.group, clusters), panel.difference)
})

const CASES = {
  half: {},
  half_slot_style: { slot: true },
  rao_kupper: { ties: 'rao_kupper' },
  rao_kupper_slot: { ties: 'rao_kupper', slot: true },
} as const

for (const [name, options] of Object.entries(CASES)) {
  test(`Bradley-Terry, ${name}: strengths, likelihood, and clustered intervals of all differences`, () => {
    const wanted = panel.bradley_terry[name]
    const contests = panel.rows.map(
      ({ style, ...row }): Contest => ({ ...row, ...(wanted.style && { style: [style] }) }),
    )
    const fit = bradleyTerry(contests, panel.systems, options)
    expect(fit.ridge).toBe(0)
    expect(fit.logLikelihood).toBeCloseTo(wanted.log_likelihood, 6)
    wanted.strengths.forEach((strength, i) => {
      expect(fit.strengths[i]).toBeCloseTo(strength, 7)
    })
    for (const [pair, difference] of Object.entries(wanted.differences)) {
      const [a, b] = pair.split('-').map(Number)
      same(fit.difference(a, b, clusters), difference)
    }
    const rest = [wanted.slot, wanted.style, wanted.tie_width].filter((term) => term !== undefined)
    rest.forEach((term, k) => {
      const weights = Array.from({ length: panel.systems + rest.length }, (_, i) =>
        Number(i === panel.systems + k),
      )
      same(fit.interval(weights, clusters), term)
    })
  })
}

test('length-controlled win rate', () => {
  const { rows, rate, length_effect, raw } = panel.length_controlled
  const found = lengthControlled(rows, { resamples: 50 })
  expect(found?.value).toBeCloseTo(rate, 7)
  expect(found?.lengthEffect).toBeCloseTo(length_effect, 7)
  expect(found?.raw).toBeCloseTo(raw, 12)
})

test('where one side is always longer, nothing is said of equal length; several raters widen the interval', () => {
  const { rows } = panel.length_controlled
  expect(lengthControlled(rows.map((row) => ({ ...row, longer: 1 + Math.abs(row.longer) })))).toBeUndefined()
  const width = ([low, high]: readonly [number, number] = [0, 1]) => high - low
  const raters = rows.map((row, i) => ({ ...row, rater: `r${i % 2}` }))
  expect(width(lengthControlled(raters)?.interval)).toBeGreaterThan(width(lengthControlled(rows)?.interval))
})

test("Krippendorff's alpha with missing ratings", () => {
  for (const level of ['nominal', 'ordinal'] as const)
    expect(krippendorffAlpha(panel.alpha.items, level, { resamples: 20 }).value).toBeCloseTo(
      panel.alpha[level],
      9,
    )
})

test('exact McNemar', () => {
  for (const { first, second, p } of panel.mcnemar) expect(exactMcNemar(first, second)).toBeCloseTo(p, 9)
})
