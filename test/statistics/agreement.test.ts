import { describe, expect, test } from 'vitest'
import type { Example } from '../../src/data/example.js'
import { createLabelLengths } from '../../src/inspect/length-bias.js'
import { auditLengths } from '../../src/rescore/audit-parts.js'
import { labelAgreement, proportion, winOf } from '../../src/statistics/agreement.js'
import { createLengthBias } from '../../src/statistics/length-bias.js'
import { meanInterval } from '../../src/statistics/t-interval.js'
import { characters, words } from '../../src/text/lengths.js'

/** A pair of texts as an example, and as a list that rescoring left as it was. */
function both(better: string, worse: string) {
  const example: Example = {
    id: '1',
    prompt: 'p',
    source: 's',
    file: 'f',
    row: 1,
    candidates: [{ text: better }, { text: worse }],
    preferences: [{ better: 0, worse: 1 }],
  }
  const list = {
    example,
    rewards: [1, 0],
    order: [0, 1],
    sft: { index: 0, weight: 1 },
    pairs: [{ better: 0, worse: 1, distance: 1, belief: 0.7, weight: 1 }],
    labels: [{ better: 0, worse: 1, verdict: 'kept' as const, belief: 0.7 }],
  }
  const lengths = createLabelLengths()
  lengths.add(example)
  return { inspected: lengths.result(), audited: auditLengths([list]) }
}

describe('length', () => {
  test('three emoji are shorter than four letters, for data inspect and for the audit', () => {
    const { inspected, audited } = both('😀😀😀', 'abcd')
    expect(inspected).toMatchObject({ pairs: 1, betterIsLonger: 0, difference: -1 })
    for (const key of ['chosenLonger', 'bestLonger', 'contrastedLonger'] as const)
      expect(audited[key]).toMatchObject({ count: 0, total: 1, share: 0 })
  })

  test('three emoji and three letters are as long as each other', () => {
    const { inspected, audited } = both('😀😀😀', 'abc')
    expect(inspected?.betterIsLonger).toBe(0.5)
    expect(audited.chosenLonger.share).toBe(0.5)
  })

  test('characters are code points, words are runs without white space', () => {
    expect(['', 'abcd', '😀😀😀', 'e\u0301', '\ud83d'].map(characters)).toEqual([0, 4, 3, 2, 1])
    expect(['', ' a  b\nc ', '今日は'].map(words)).toEqual([0, 3, 1])
  })

  test('the effect is the mean difference over the pooled deviation', () => {
    const bias = createLengthBias()
    expect(bias.result()).toMatchObject({
      betterIsLonger: { total: 0, share: null },
      effect: 0,
      difference: 0,
    })
    // Better 3, 5, worse 1, 3: means 4 and 2, each variance 2.
    bias.add(3, 1)
    bias.add(5, 3)
    const { betterIsLonger, effect, difference } = bias.result()
    expect(betterIsLonger).toMatchObject({ count: 2, total: 2, share: 1 })
    expect(difference).toBe(2)
    expect(effect).toBeCloseTo(Math.SQRT2, 12)
  })
})

describe('agreement', () => {
  test('a tie is half a win, also one within a tolerance', () => {
    expect([2, -2, 0, -0].map((gap) => winOf(gap))).toEqual([1, 0, 0.5, 0.5])
    expect([2, -2, 1e-7, -1e-7].map((gap) => winOf(gap, 1e-6))).toEqual([1, 0, 0.5, 0.5])
  })

  test('labels agree where the better answer has the higher reward', () => {
    const labels = [
      [{ better: 0, worse: 1 }],
      [
        { better: 1, worse: 0 },
        { better: 2, worse: 0 },
      ],
      [],
    ]
    const found = labelAgreement(labels, [[1, 0], [1, 1, 0], [5]])
    expect(found).toMatchObject({ count: 1.5, total: 3, share: 0.5 })
    expect(labelAgreement([[]], [[1]])).toEqual({ count: 0, total: 0, share: null, interval: [0, 1] })
  })

  test("the interval is Wilson's", () => {
    // z = 1.959964; 8 of 10: centre (0.8 + z²/20) / (1 + z²/10), as statsmodels' proportion_confint(8, 10, method='wilson').
    const [low, high] = proportion(8, 10).interval
    expect(low).toBeCloseTo(0.49016, 5)
    expect(high).toBeCloseTo(0.94331, 4)
  })
})

test('a mean over repetitions has the t-interval of its degrees of freedom', () => {
  // 1, 2, 3: deviation 1, t(0.975, 2) = 4.302653, half width 4.302653 / √3.
  const { value, interval } = meanInterval([1, 2, 3])
  expect(value).toBe(2)
  expect(interval?.[1]).toBeCloseTo(2 + 2.484138, 6)
  expect(meanInterval([4])).toEqual({ value: 4 })
})
