import { expect, test } from 'vitest'
import { raterAgreements } from '../../src/verdicts/rater-agreement.js'
import type { VerdictRow } from '../../src/verdicts/types.js'

const row = (
  item: string,
  rater: string,
  verdict: VerdictRow['verdict'],
  more: Partial<VerdictRow> = {},
): VerdictRow => ({
  item,
  prompt: item,
  a: `${item} a`,
  b: `${item} b`,
  shown: 'ab',
  verdict,
  rater,
  kind: 'person',
  systems: ['one', 'two'],
  settings: 's',
  at: '',
  ...more,
})
const judge = { kind: 'judge' } as const

test('agreement with ties and without, people among themselves and with a judge', () => {
  const agreements = raterAgreements([
    // Two of three people say a, and so does the judge, in both orders.
    ...[row('1', 'ann', 'a'), row('1', 'bob', 'a'), row('1', 'carl', 'b')],
    ...[row('1', 'j', 'a', judge), row('1', 'j', 'a', { ...judge, shown: 'ba' })],
    // One says a, one says that neither is good; the judge changes with the order, which is a tie.
    ...[row('2', 'ann', 'a'), row('2', 'bob', 'both_bad')],
    ...[row('2', 'j', 'a', judge), row('2', 'j', 'b', { ...judge, shown: 'ba' })],
    // One person alone, against the judge.
    ...[row('3', 'ann', 'b'), row('3', 'j', 'a', judge)],
  ])
  const found = Object.fromEntries(
    agreements.map(({ raters, all, decided }) => [
      raters.join(' '),
      [all.value, all.prompts, decided?.value, decided?.prompts],
    ]),
  )
  expect(found).toEqual({
    // Item 1: pairs aa, ab, ab: 1 of 3. Item 2: 0 of 1; without the tie no pair is left. Item 3 has no pair.
    'people people': [(1 / 3 + 0) / 2, 2, 1 / 3, 1],
    // Items: 2 of 3, 1 of 2, 0 of 1; where both name a winner: 2 of 3, none, 0 of 1.
    'people j': [expect.closeTo((2 / 3 + 1 / 2 + 0) / 3, 12), 3, expect.closeTo((2 / 3 + 0) / 2, 12), 2],
  })
})

test('a tie is no winner: without ties nothing is left of raters who saw none', () => {
  const [agreement] = raterAgreements([row('1', 'ann', 'tie'), row('1', 'j', 'tie', judge)]).filter(
    ({ raters }) => raters[1] === 'j',
  )
  expect(agreement.all.value).toBe(1)
  expect(agreement.decided).toBeUndefined()
})

test('tests of raters and undone verdicts take no part', () => {
  const rows = [row('1', 'ann', 'a', { gold: 'a' }), row('1', 'j', 'a', { ...judge, gold: 'a' })]
  expect(raterAgreements(rows)).toEqual([])
  expect(raterAgreements([row('1', 'ann', 'a'), row('1', 'ann', 'undo'), row('1', 'j', 'a', judge)])).toEqual(
    [],
  )
})
