import { describe, expect, test } from 'vitest'
import { drawOf, lowest, quotas } from '../../src/data/choose.js'
import { canonicalPrompt } from '../../src/data/content-key.js'
import { pair, user } from '../inspect/rows.js'

test('a draw depends on content and seed, not on id or place', () => {
  const a = pair(user('q'), 'x', 'y')
  expect(drawOf(a, 1)).toBe(drawOf({ ...a, id: 'other', row: 99, file: 'b' }, 1))
  expect(drawOf(a, 1)).not.toBe(drawOf(a, 2))
  expect(drawOf(a, 1)).not.toBe(drawOf(pair(user('q'), 'y', 'x'), 1))
})

test('the lowest draws are taken; of equal ones exactly as many as fit', () => {
  const draws = [0.5, 0.1, 0.3, 0.3, 0.3, 0.9]
  const { takes } = lowest(draws, 3)
  expect(draws.map(takes)).toEqual([false, true, true, true, false, false])
  const all = lowest(draws, 6)
  expect(draws.every(all.takes)).toBe(true)
  const none = lowest(draws, 0)
  expect(draws.some(none.takes)).toBe(false)
})

describe('quotas', () => {
  const groups = (...rows: [number, number][]) =>
    rows.map(([n, weight], i) => ({ name: `g${i}`, rows: n, weight }))

  test('without a total take what the scarcest group allows', () => {
    expect(quotas(groups([6000, 3], [300, 1]))).toEqual([900, 300])
    expect(quotas(groups([10, 1], [10, 0]))).toEqual([10, 0])
  })

  test('with a total keep it exactly, by largest remainders', () => {
    expect(quotas(groups([100, 1], [100, 1], [100, 1]), 10)).toEqual([4, 3, 3])
    expect(quotas(groups([100, 2], [100, 1]), 10)).toEqual([7, 3])
  })

  test('refuse to repeat rows, and name the largest total', () => {
    expect(() => quotas(groups([6000, 3], [300, 1]), 2000)).toThrow(/g1 has 300 rows; .* needs 500/)
    expect(() => quotas(groups([1, 0]))).toThrow('every weight is 0')
  })
})

test('canonical prompts forget case, signs and spacing, and keep words, roles and pure signs', () => {
  const key = (content: string) => canonicalPrompt(user(content))
  expect(key('What  is this?')).toBe(key('what is THIS ?!'))
  expect(key('What is this')).not.toBe(key('What is that'))
  expect(key('??')).not.toBe(key('!!'))
  expect(canonicalPrompt('what is this')).not.toBe(key('what is this'))
})
