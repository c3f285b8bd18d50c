import { describe, expect, test } from 'vitest'
import { compare, scorerAgreement } from '../../src/evaluate/compare.js'
import { evaluateSystem } from '../../src/evaluate/system-summary.js'
import { repetition, textStats } from '../../src/evaluate/text-stats.js'

describe('text statistics', () => {
  test('length, variety and cuts by hand', () => {
    const stats = textStats(['a b a', 'b 😀', ''], [true, false, false])
    expect(stats.words).toBeCloseTo(5 / 3, 12)
    expect(stats.characters).toBeCloseTo(8 / 3, 12)
    expect(stats.distinct1).toBeCloseTo(3 / 5, 12)
    expect(stats.distinct2).toBe(1)
    expect(stats.empty).toBeCloseTo(1 / 3, 12)
    expect(stats.truncated).toBeCloseTo(1 / 3, 12)
    expect(textStats(['a'])).not.toHaveProperty('truncated')
  })

  test('repetition is the share of 4-grams said before', () => {
    expect(repetition('a a a a a a'.split(' '))).toBeCloseTo(2 / 3, 12)
    expect(repetition('a b c d e f'.split(' '))).toBe(0)
    expect(repetition(['a', 'b'])).toBe(0)
  })
})

describe('comparison', () => {
  test('wins, ties and losses by hand; ties count one half', () => {
    const c = compare([2, 1, 0, 1 + 1e-9], [1, 1, 1, 1])
    expect([c.win, c.tie, c.loss, c.count]).toEqual([1, 2, 1, 4])
    expect(c.winRate.value).toBe(0.5)
    expect(c.difference.value).toBeCloseTo(0, 8)
    expect(compare([1.4], [1], { tie: 0.5 }).tie).toBe(1)
  })

  test('a clear winner has an interval above one half, an equal one around it', () => {
    const base = Array.from({ length: 100 }, (_, i) => Math.sin(i))
    const better = compare(
      base.map((x, i) => x + (i % 5 ? 1 : -1)),
      base,
    )
    expect(better.winRate.value).toBeCloseTo(0.8, 12)
    expect(better.winRate.interval[0]).toBeGreaterThan(0.5)
    const equal = compare(
      base.map((x, i) => x + (i % 2 ? 1 : -1)),
      base,
    )
    expect(equal.winRate.interval[0]).toBeLessThan(0.5)
    expect(equal.winRate.interval[1]).toBeGreaterThan(0.5)
  })

  test('two scorers: linear and rank correlation, null where nothing varies', () => {
    expect(scorerAgreement([1, 2, 3, 4], [1, 4, 9, 16])).toMatchObject({ spearman: 1, count: 4 })
    expect(scorerAgreement([1, 2, 3, 4], [1, 4, 9, 16]).pearson).toBeCloseTo(25 / Math.sqrt(5 * 129), 12)
    expect(scorerAgreement([1, 1, 2], [3, 4, 5]).spearman).toBeCloseTo(Math.sqrt(3) / 2, 12)
    expect(scorerAgreement([1, 1], [1, 2]).pearson).toBeNull()
    expect(() => scorerAgreement([1], [])).toThrow(RangeError)
  })
})

describe('a system', () => {
  const input = {
    sources: ['a', 'b', 'b'],
    answers: ['yes it is so', 'no', 'no'],
    rewards: { judge: [0, 2, 4], other: [1, 2, 3] },
    references: ['yes it is so', 'yes', 'no'],
    baseline: { judge: [1, 1, 1], other: [1, 1, 1] },
    truncated: [false, true, false],
  }

  test('per source and in total, with the total over all prompts', () => {
    const s = evaluateSystem(input)
    expect(s.total.count).toBe(3)
    expect(s.total.rewards.judge.reward.value).toBe(2)
    expect(s.sources.b.rewards.judge.reward.value).toBe(3)
    const sg = (x: number) => 1 / (1 + Math.exp(-x))
    expect(s.total.rewards.judge.sigmoid.value).toBeCloseTo((0.5 + sg(2) + sg(4)) / 3, 12)
    expect(s.total.rewards.judge.versusBaseline).toMatchObject({ win: 2, tie: 0, loss: 1 })
    expect(s.sources.a.bleu!.charLegacy).toBeCloseTo(1, 12)
    expect(s.sources.a.bleu!.corpus.score).toBeCloseTo(100, 9)
    expect(s.total.text.truncated).toBeCloseTo(1 / 3, 12)
    expect(s.scorers).toMatchObject([{ a: 'judge', b: 'other', agreement: { pearson: 1 } }])
    expect(JSON.parse(JSON.stringify(s))).toEqual(s)
    expect(evaluateSystem(input)).toEqual(s)
  })

  test('what was not given is absent', () => {
    const s = evaluateSystem({ sources: ['a'], answers: ['x'], rewards: { judge: [1] } })
    expect(s.total).not.toHaveProperty('bleu')
    expect(s.total.rewards.judge).not.toHaveProperty('versusBaseline')
    expect(s.scorers).toEqual([])
  })

  test('nothing, lists that do not fit and rewards that are no numbers are refused', () => {
    expect(() => evaluateSystem({ sources: [], answers: [], rewards: {} })).toThrow('no answers')
    expect(() => evaluateSystem({ ...input, references: ['x'] })).toThrow('1 references for 3 answers')
    expect(() => evaluateSystem({ ...input, baseline: { judge: [1, 1, 1] } })).toThrow('no rewards of other')
    expect(() =>
      evaluateSystem({ ...input, rewards: { judge: [1, Number.NaN, 2], other: [1, 2, 3] } }),
    ).toThrow('reward 2 of judge')
  })
})
