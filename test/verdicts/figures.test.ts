import { expect, test } from 'vitest'
import { verdictSentences } from '../../src/report/verdicts/verdict-words.js'
import { bothOrders, countedRows } from '../../src/verdicts/counted.js'
import { verdictFigures } from '../../src/verdicts/figures.js'
import { raterQualities } from '../../src/verdicts/rater-quality.js'
import { standing } from '../../src/verdicts/standing.js'
import { summarizeVerdicts } from '../../src/verdicts/summary.js'
import type { VerdictRow } from '../../src/verdicts/types.js'
import { itemOf, rowOf } from './panel.js'

const PAIR = ['new', 'old'] as const
const items = Array.from({ length: 40 }, (_, i) => itemOf(`${i}`, { new: `n${i}`, old: `o${i}` }))
const given = (verdicts: readonly VerdictRow['verdict'][], more: Partial<VerdictRow> = {}) =>
  verdicts.map((verdict, i) => rowOf(items[i], PAIR, verdict, more))
const figuresOf = (rows: readonly VerdictRow[]) => {
  const found = verdictFigures({ items }, rows, { baseline: 'old' })
  if (!found) throw new Error('no figures')
  return found
}

test('an undone verdict, a skip and an error count for nothing, and each is counted', () => {
  const rows = [
    ...given(['a', 'skip', 'error', 'tie']),
    rowOf(items[0], PAIR, 'undo'),
    rowOf(items[0], PAIR, 'b'),
  ]
  expect(standing(rows).judged.map(({ item, verdict }) => [item, verdict])).toEqual([
    ['3', 'tie'],
    ['0', 'b'],
  ])
  expect(summarizeVerdicts(rows)).toMatchObject({ verdicts: 2, items: 2, errors: 1, skipped: 1, undone: 1 })
})

test('a judge wins only where both orders agree; a person counts once; tests of raters do not count', () => {
  const judge = { kind: 'judge', rater: 'j' } as const
  const rows = [
    rowOf(items[0], PAIR, 'a', judge),
    rowOf(items[0], PAIR, 'b', { ...judge, shown: 'ba' }),
    rowOf(items[1], PAIR, 'a', judge),
    // The same verdict, written from the other side.
    rowOf(items[1], ['old', 'new'], 'b', { ...judge, shown: 'ab' }),
    rowOf(items[2], PAIR, 'b'),
    rowOf(items[2], PAIR, 'a', { shown: 'ba' }),
    rowOf(items[3], PAIR, 'a', { gold: 'b' }),
  ]
  expect(countedRows(rows).map(({ item, verdict, systems }) => [item, systems[0], verdict])).toEqual([
    ['0', 'new', 'tie'],
    ['1', 'new', 'a'],
    ['2', 'new', 'b'],
  ])
  // First slot twice; then the second slot, which is what agreeing in both orders means; then a person's.
  expect(bothOrders(rows).map(({ orders }) => orders)).toEqual([
    ['first', 'first'],
    ['first', 'second'],
    ['second', 'second'],
  ])
})

test('systems that said the same are judged apart', () => {
  const item = itemOf('same', { one: 'x', other: 'x', old: 'y' })
  const rows = (['one', 'other'] as const).map((system) => rowOf(item, [system, 'old'], 'a'))
  expect(countedRows(rows).map(({ systems, verdict }) => [systems.join(' '), verdict])).toEqual([
    ['old one', 'b'],
    ['old other', 'b'],
  ])
})

test('win rate by hand: 6 wins, 2 ties, 2 losses of one rater, clustered by prompt', () => {
  const { against } = figuresOf(given(['a', 'a', 'a', 'a', 'a', 'a', 'tie', 'both_bad', 'b', 'b']))
  const [{ wins, ties, bothBad, losses, winRate }] = against
  expect({ wins, ties, bothBad, losses }).toEqual({ wins: 6, ties: 1, bothBad: 1, losses: 2 })
  expect(winRate.value).toBe(0.7)
  // Variance of the mean: (6 * 0.3^2 + 2 * 0.2^2 + 2 * 0.7^2) / 10 / 9.
  expect(winRate.standardError).toBeCloseTo(Math.sqrt((0.54 + 0.08 + 0.98) / 10 / 9), 12)
  expect(winRate).toMatchObject({ degreesOfFreedom: 9, prompts: 10, raters: 1 })
})

test('all wins are not certain, all ties are no difference, one prompt says nothing, identical answers are compared', () => {
  const all = figuresOf(given(new Array(20).fill('a')))
  expect(all.separated).toBe(true)
  // Wilson's lower end of 20 of 20.
  expect(all.against[0].winRate.interval?.[0]).toBeCloseTo(0.8389, 4)
  expect(all.strengths[0].above?.interval?.every(Number.isFinite)).toBe(true)
  const ties = figuresOf(given(new Array(20).fill('tie')))
  expect(ties.against[0].winRate).toMatchObject({ value: 0.5 })
  expect(verdictSentences(ties, 'people')[0]).toContain('no difference between new and old is shown')
  const one = figuresOf(given(['a']))
  expect(one.against[0].winRate.interval?.[0]).toBeLessThan(0.5)
  expect(verdictSentences(one, 'people').join()).toContain('One prompt')
})

test('standing first is not certain where every verdict of one order was won: three votes leave zero inside', () => {
  const rows = [
    rowOf(items[0], PAIR, 'tie'),
    ...[1, 2].map((i) => rowOf(items[i], PAIR, 'a', { shown: 'ba' })),
  ]
  const { value, interval } = figuresOf(rows).slot!
  // With a ridge of 1 the effect is the sum of three residuals, each below 1.
  expect(Math.abs(value)).toBeLessThan(3)
  expect(interval![0]).toBeLessThan(0)
  expect(interval![1]).toBeGreaterThan(0)
})

test('few raters are said to leave a wide interval, one rater to say nothing of others', () => {
  const three = ['ann', 'bob', 'cy'].flatMap((rater) => given(['a', 'a', 'a', 'b'], { rater }))
  expect(verdictSentences(figuresOf(three), 'people').join()).toContain('3 raters: the intervals are wide')
  expect(figuresOf(three).against[0].winRate.degreesOfFreedom).toBe(2)
  expect(verdictSentences(figuresOf(given(['a', 'b'])), 'people').join()).toContain('One rater')
})

test('systems that were never compared, directly or through others, get no difference', () => {
  const four = itemOf('x', { a: '1', b: '2', c: '3', d: '4' })
  const rows = [rowOf(four, ['a', 'b'], 'a'), rowOf(four, ['c', 'd'], 'b')]
  const found = verdictFigures({ items: [four] }, rows, { baseline: 'a' })
  expect(found?.strengths.map(({ system, above }) => [system, above !== undefined])).toEqual([
    ['a', false],
    ['b', true],
    ['c', false],
    ['d', false],
  ])
})

test('a judge that always says A: its bias is one, nothing is won, and its slot is worth more than any answer', () => {
  const judge = { kind: 'judge', rater: 'j' } as const
  const rows = items.flatMap((item) => [
    rowOf(item, PAIR, 'a', judge),
    rowOf(item, PAIR, 'b', { ...judge, shown: 'ba' }),
  ])
  const [quality] = raterQualities(rows)
  expect(quality.position).toMatchObject({ pairs: 40, first: 40, second: 0, bias: 1, consistent: 0 })
  expect(quality.position?.p).toBeCloseTo(2 ** -39, 20)
  expect(quality.first?.share).toBe(1)
  expect(figuresOf(rows).against[0]).toMatchObject({ wins: 0, ties: 40, losses: 0 })
  expect(figuresOf(rows).slot?.value).toBeGreaterThan(1)
})

test('rater quality: known items, repeated items, speed', () => {
  const rows = [
    rowOf(items[0], PAIR, 'a', { gold: 'a', milliseconds: 1000 }),
    rowOf(items[1], PAIR, 'b', { gold: 'a', milliseconds: 3000 }),
    rowOf(items[2], PAIR, 'a', { milliseconds: 2000 }),
    rowOf(items[2], PAIR, 'a', { shown: 'ba' }),
  ]
  const [{ gold, repeats, seconds, first }] = raterQualities(rows)
  expect(gold).toMatchObject({ count: 1, total: 2 })
  expect(repeats).toMatchObject({ count: 1, total: 1 })
  expect(seconds).toBe(2)
  expect(first).toMatchObject({ count: 2, total: 4 })
})

test('longer answers that win by length alone lose their lead at equal length', () => {
  const long = Array.from({ length: 240 }, (_, i) =>
    itemOf(`l${i}`, { new: 'x'.repeat(i % 2 ? 300 : 10), old: 'y'.repeat(i % 2 ? 10 : 300) }),
  )
  // The longer one wins six times of seven; the new one is longer in four of five.
  const kept = long.filter((_, i) => i % 2 === 1 || i % 8 === 0)
  const rows = kept.map((item, i) => {
    const longer = item.answers[0].text?.length === 300 ? 'a' : 'b'
    return rowOf(item, PAIR, i % 7 === 0 ? (longer === 'a' ? 'b' : 'a') : longer)
  })
  const found = verdictFigures({ items: long }, rows, { baseline: 'old' })?.against[0]
  expect(found?.winRate.value).toBeGreaterThan(0.6)
  expect(found?.lengthControlled?.value).toBeCloseTo(0.5, 1)
  expect(found?.lengthControlled?.moves).toBe(true)
})

test('ties throughout are a strength of 0 that no interval makes certain', () => {
  const { strengths, against } = figuresOf(given(['tie', 'tie', 'tie']))
  const [above] = strengths.flatMap((one) => one.above ?? [])
  expect(above.value).toBeCloseTo(0, 12)
  expect(above.interval).toBeUndefined()
  expect(against[0].winRate.interval?.[0]).toBeLessThan(0.2)
})
