/** The compact memory of keys. */
import { expect, test } from 'vitest'
import { createSeen } from '../../src/data/read/seen.js'

test('every key is known from its second time on, with the place of its first, through all growth', () => {
  const seen = createSeen()
  for (let i = 0; i < 20_000; i++) expect(seen.first(`key ${i}`, i)).toBeUndefined()
  for (let i = 0; i < 20_000; i += 7) expect(seen.first(`key ${i}`, -1)).toBe(i)
  expect(seen.first('key 20000', 5)).toBeUndefined()
})

test('a place of 0 and an empty key are places and keys like others', () => {
  const seen = createSeen()
  expect([seen.first('', 0), seen.first('', 1)]).toEqual([undefined, 0])
})
