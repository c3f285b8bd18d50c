import { expect, test } from 'vitest'
import { amount } from '../../src/show/units.js'

test('one is one, and everything else is many', () => {
  expect([0, 1, 2, 1000].map((n) => amount(n, 'labelled pair'))).toEqual([
    '0 labelled pairs',
    '1 labelled pair',
    '2 labelled pairs',
    '1,000 labelled pairs',
  ])
})
